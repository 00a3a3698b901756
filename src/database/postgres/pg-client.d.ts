// Only pg's client is imported, because pg's main file reads NODE_PG_FORCE_NATIVE and loads its pool.
declare module 'pg/lib/client' {
  import { Client } from 'pg'
  export default Client
}
