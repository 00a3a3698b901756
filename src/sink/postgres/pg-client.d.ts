// pg's main file reads NODE_PG_FORCE_NATIVE and loads its pool; the client on its own does neither.
declare module 'pg/lib/client' {
  import { Client } from 'pg'
  export default Client
}
