/** Settings of the reference server: its address, its store, its contract version and its tokens. */

import { isIP } from 'node:net'
import type { Environment } from '../../../commit/ci.js'
import { SCHEMA_VERSION } from '../../../contract/kinds.js'
import { IngestError } from '../../../errors.js'
import { isLoopback } from '../../../http/address.js'
import { ENV_PREFIX } from '../../../config/environment.js'
import { stateConfig, type StateConfig } from '../../../config/state.js'
import { EMBEDDED, EMBEDDED_FOLDER, NO_FOLDER } from '../../../targets/embedded/kind.js'
import { POSTGRES } from '../../../targets/postgres/kind.js'
import type { PostgresTargetOptions } from '../../../targets/postgres/options.js'

export type ServeFlags = Pick<PostgresTargetOptions, 'insecureLocal' | 'region' | 'rolePolicy'> & {
  readonly listen?: string
  readonly store?: string
  readonly contract?: string
  readonly maxBody?: number
  readonly tokenFile?: string
  readonly insecureNoAuth?: boolean
  readonly state?: string
}

export type ServeConfig = {
  readonly listen: ListenAddress
  readonly store: StoreConfig
  /** The contract version of the server. */
  readonly version: number
  readonly maxBodyBytes: number
  readonly auth: ServeAuth
  /** Token for revalidation requests; when undefined, they are answered with 503. */
  readonly revalidateToken: string | undefined
  /** The state that operators view and change; undefined without one. */
  readonly state: StateConfig | undefined
  /** Token for the operator routes; undefined disables them. */
  readonly operatorToken: string | undefined
}

/** The database of the server. */
export type StoreConfig =
  | { readonly kind: typeof EMBEDDED; readonly folder: string }
  | { readonly kind: typeof POSTGRES; readonly options: PostgresTargetOptions }

/** The variable with the operator token. It has the flags' prefix but no flag, because it is a secret. */
export const OPERATOR_TOKEN = `${ENV_PREFIX}OPERATOR_TOKEN`

/** The source of the token that writers must send. */
export type ServeAuth =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'none' }

/** A host name or an address without brackets. Port 0 lets the system choose a free port. */
export type ListenAddress = { readonly host: string; readonly port: number }

export const MAX_BODY_BYTES = 64 * 1024 * 1024
/** A body is processed as a single buffer with 32-bit offsets. */
const LARGEST_MAX_BODY_BYTES = 1024 * 1024 * 1024

/**
 * Builds the configuration from flags and environment.
 * @throws {IngestError} `usage` when a flag is invalid
 * @throws {IngestError} `config_invalid` when anybody could write without a token
 */
export function serveConfig(flags: ServeFlags, env: Environment): ServeConfig {
  const { listen = '127.0.0.1:0', store = EMBEDDED_FOLDER } = flags
  const address = listenAddress(listen)
  const { maxBody: maxBodyBytes = MAX_BODY_BYTES } = flags
  if (maxBodyBytes > LARGEST_MAX_BODY_BYTES) throw new IngestError('usage', '--max-body cannot be more than 1GiB')
  return Object.freeze({
    listen: address,
    maxBodyBytes,
    store: storeConfig(store, flags),
    version: Number(flags.contract ?? SCHEMA_VERSION),
    auth: serveAuth(flags, address, env),
    revalidateToken: env['BENCH_REVALIDATE_TOKEN'] || undefined,
    state: stateConfig({ ...(flags.state !== undefined && { state: flags.state }) }, env),
    operatorToken: withoutNewline(env[OPERATOR_TOKEN] ?? '') || undefined,
  })
}

/**
 * Matches text that was probably meant as a DSN. It is not used as a folder name, because its password would end up on
 * disk.
 */
const LIKE_A_DSN = /^(?![./~]).*(?:@|=|:\/\/)|^postgres(?:ql)?[:/]/i

function storeConfig(store: string, { insecureLocal, region, rolePolicy }: ServeFlags): StoreConfig {
  if (LIKE_A_DSN.test(store))
    return Object.freeze({ kind: POSTGRES, options: { postgres: store, insecureLocal, region, rolePolicy } })
  if (NO_FOLDER.test(store)) {
    const hint = 'a folder, or postgres://USER@HOST:PORT/DATABASE'
    throw new IngestError('usage', `--store takes a folder or a Postgres URL, got ${store || 'no name'}`, { hint })
  }
  if (insecureLocal === true) throw new IngestError('usage', '--insecure-local requires a Postgres in --store')
  return Object.freeze({ kind: EMBEDDED, folder: store })
}

function serveAuth({ tokenFile, insecureNoAuth }: ServeFlags, { host }: ListenAddress, env: Environment): ServeAuth {
  if (tokenFile !== undefined) return { kind: 'file', path: tokenFile }
  const token = withoutNewline(env['INGEST_BEARER_TOKEN'] ?? '')
  if (token !== '') return { kind: 'token', token }
  if (insecureNoAuth !== true) {
    const hint = 'set it, or name a file with --token-file; to try things out on this machine: --insecure-no-auth'
    throw new IngestError('config_invalid', 'INGEST_BEARER_TOKEN is not set, so anybody could write', { hint })
  }
  if (isLoopback(host)) return { kind: 'none' }
  const hint = 'set INGEST_BEARER_TOKEN, or listen on 127.0.0.1'
  throw new IngestError('config_invalid', `--insecure-no-auth is for loopback addresses, not for ${host}`, { hint })
}

/** Removes one trailing line break, which editors and `echo` add to files. */
export function withoutNewline(token: string): string {
  return token.replace(/\r?\n$/, '')
}

/**
 * Parses the value of `--listen`.
 * @param text `PORT`, `HOST:PORT` or `[ADDRESS]:PORT`
 */
function listenAddress(text: string): ListenAddress {
  const [, address, name, portText = ''] = /^(?:(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/i.exec(text) ?? []
  const host = address ?? name ?? 'localhost'
  const port = Number(portText)
  if (portText === '' || port > 65535 || (address !== undefined && isIP(address) !== 6)) {
    const hint = 'the forms are PORT, HOST:PORT and [::1]:PORT; port 0 takes a free one'
    throw new IngestError('usage', `--listen cannot be ${text || 'empty'}`, { hint })
  }
  // Only the IPv4 address of localhost is used, because with port 0 two addresses would get two different ports.
  return Object.freeze({ host: host.toLowerCase() === 'localhost' ? '127.0.0.1' : host, port })
}
