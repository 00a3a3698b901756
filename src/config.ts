/** Flags and environment to one frozen configuration; the only reader of the environment. */

import { readFile } from 'node:fs/promises'
import { detectCi, type CiRun, type Environment } from './commit/ci.js'
import type { TargetName } from './delivery/opening.js'
import { IngestError, messageOf } from './errors.js'
import { describeServer, isLoopback, parseServerUrl, type HttpAddress } from './sink/http/address.js'

export type TargetConfig =
  | { readonly kind: 'postgres'; readonly dsn: string; readonly insecureLocal: boolean }
  | { readonly kind: 'embedded'; readonly folder: string }

export type TargetFlags = {
  readonly postgres?: string
  readonly insecureLocal?: boolean
  /** True when the flag stands without a folder. */
  readonly embedded?: string | true
}

export type ServerFlags = {
  readonly server?: string
  readonly tokenEnv?: string
  readonly tokenFile?: string
  readonly timeout?: number
  readonly retries?: number
  readonly retryDeadline?: number
  readonly maxEnvelopeBytes?: number
  readonly compress?: boolean
}

export type ServerConfig = {
  readonly address: HttpAddress
  readonly silenceMs: number
  /** Tries after the first. */
  readonly retries: number
  readonly retryDeadlineMs: number
  readonly maxEnvelopeBytes: number
  readonly compress: boolean
}

/** Whose failure is the push's. */
export type Requirement = 'all' | 'any' | TargetName

export type CommitFlags = {
  readonly commitSha?: string
  readonly commit?: string
  readonly benchmarkId?: string
  readonly repoUrl?: string
  readonly gitDir?: string
}

export type CommitConfig = {
  readonly sha: string | undefined
  /** A file with the commit's fields, in place of git. */
  readonly file: string | undefined
  readonly benchmarkId: string | undefined
  readonly repoUrl: string | undefined
  readonly gitDir: string | undefined
  readonly ci: CiRun | undefined
  readonly env: Environment
}

export const EMBEDDED_FOLDER = '.vortex-ingest'

/** Every flag can be set by a variable of this prefix and its name: `--commit-sha` by `VORTEX_INGEST_COMMIT_SHA`. */
export const ENV_PREFIX = 'VORTEX_INGEST_'

/** Where a command reads or writes: at most one of `--postgres` and `--embedded`, by default the embedded database. */
export function targetConfig({ postgres, insecureLocal = false, embedded }: TargetFlags): TargetConfig {
  if (postgres !== undefined && embedded !== undefined)
    throw new IngestError('usage', '--postgres and --embedded name two targets', { hint: 'give one of them' })
  if (postgres !== undefined) return Object.freeze({ kind: 'postgres', dsn: postgres, insecureLocal })
  if (insecureLocal) throw new IngestError('usage', '--insecure-local goes with --postgres')
  const folder = embedded === undefined || embedded === true ? EMBEDDED_FOLDER : embedded
  if (NO_FOLDER.test(folder)) {
    const hint = 'name inputs before --embedded, and a Postgres database with --postgres'
    throw new IngestError('usage', `--embedded takes a folder, got ${folder}`, { hint })
  }
  return Object.freeze({ kind: 'embedded', folder })
}

/** What `--embedded` was not meant to swallow: in `push --embedded *.jsonl` the input would become the folder. */
const NO_FOLDER = /^$|^[a-z][a-z0-9+.-]*:\/\/|[*?]|\.(?:jsonl?|ndjson|gz|zst)$/i

/** Where a push writes: a server, a database, or both. */
export type WriteConfig = { readonly server: ServerConfig | undefined; readonly database: TargetConfig | undefined }

/**
 * Without any target the embedded database, but in CI that must be asked for: a green job that filled a folder which is
 * thrown away has lost its data.
 */
export async function writeConfig(flags: TargetFlags & ServerFlags, env: Environment): Promise<WriteConfig> {
  const server = await serverConfig(flags, env)
  const ci = detectCi(env)
  const named = flags.postgres !== undefined || flags.embedded !== undefined
  if (ci !== undefined && !named && server === undefined) {
    const hint = 'give --server URL or --postgres DSN, or --embedded if the records may go when this job ends'
    throw new IngestError('usage', `no target is named and this is ${ci.name}, where a local folder does not last`, {
      hint,
    })
  }
  const database = named || server === undefined ? targetConfig(flags) : undefined
  return Object.freeze({ server, database })
}

/** @throws {IngestError} `usage` when the target that is to decide is none of the push's */
export function requirement(require: Requirement | undefined, config: WriteConfig): Requirement | undefined {
  const names = [
    ...(config.server === undefined ? [] : ['server']),
    ...(config.database === undefined ? [] : [config.database.kind]),
  ]
  if (require === undefined || require === 'all' || require === 'any' || names.includes(require)) return require
  throw new IngestError('usage', `--require ${require}, but no such target is named`, { hint: `--${require} names it` })
}

const MIB = 1024 * 1024

async function serverConfig(flags: ServerFlags, env: Environment): Promise<ServerConfig | undefined> {
  if (flags.server === undefined) return undefined
  return Object.freeze({
    address: await serverAddress(flags.server, flags, env),
    silenceMs: (flags.timeout ?? 120) * 1000,
    retries: flags.retries ?? 8,
    retryDeadlineMs: (flags.retryDeadline ?? 120) * 1000,
    maxEnvelopeBytes: flags.maxEnvelopeBytes ?? 60 * MIB,
    compress: flags.compress === true,
  })
}

async function serverAddress(server: string, flags: ServerFlags, env: Environment): Promise<HttpAddress> {
  const base = parseServerUrl(server)
  const token = await bearerToken(flags, env)
  if (token === undefined && !isLoopback(base)) {
    const hint = `set ${flags.tokenEnv ?? 'INGEST_BEARER_TOKEN'}, or name a variable or a file with --token-env or --token-file`
    throw new IngestError('auth_failed', `no token for ${describeServer(base)}`, { hint })
  }
  return siteAddress(base, token, env)
}

/** How any HTTP service is reached from here: through which proxy, trusting whom. */
async function siteAddress(base: URL, token: string | undefined, env: Environment): Promise<HttpAddress> {
  const files = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'].flatMap(name => env[name] || [])
  // Node reads NODE_EXTRA_CA_CERTS by itself, but not beside other authorities.
  const authorities = env['SSL_CERT_FILE'] ? files : []
  return Object.freeze({ base, token, proxy: await proxyFor(base, env), authorities })
}

/** Node's own proxy variables, loaded only where one is set. */
async function proxyFor(base: URL, env: Environment): Promise<URL | undefined> {
  if (!Object.keys(env).some(name => /^(?:npm_config_)?(?:https?|all)_proxy$/i.test(name))) return undefined
  const { getProxyForUrl } = await import('proxy-from-env')
  const proxy = getProxyForUrl(base.href)
  if (proxy === '') return undefined
  // What has no scheme is spoken to in plain HTTP, as by curl, not in that of the address behind it.
  const given = Object.values(env).includes(proxy) ? proxy : proxy.replace(/^https:/, 'http:')
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return new URL(given)
  const hint = 'the form is http://user:password@proxy.example.com:3128'
  throw new IngestError('config_invalid', 'the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is no URL of one', {
    hint,
  })
}

/** Never a flag's value: those are seen by whoever lists processes. */
async function bearerToken({ tokenEnv, tokenFile }: ServerFlags, env: Environment): Promise<string | undefined> {
  if (tokenEnv !== undefined && tokenFile !== undefined)
    throw new IngestError('usage', '--token-env and --token-file name two tokens', { hint: 'give one of them' })
  const [where, text] =
    tokenFile === undefined
      ? [tokenEnv ?? 'INGEST_BEARER_TOKEN', env[tokenEnv ?? 'INGEST_BEARER_TOKEN']]
      : [tokenFile, await readToken(tokenFile)]
  const token = text?.trim() ?? ''
  if (token !== '') return checkToken(token, where)
  if (tokenEnv === undefined && tokenFile === undefined) return undefined
  throw new IngestError('auth_failed', `there is no token in ${where}`)
}

async function readToken(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new IngestError('auth_failed', `cannot read the token: ${messageOf(cause)}`, { cause })
  }
}

/** What a header can hold; a message must not repeat it. */
function checkToken(token: string, where: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new IngestError('auth_failed', `the token in ${where} holds characters that no token has`)
}

/** What is told of new data after a write, and how: contract section 4. */
export type SiteConfig = { readonly address: HttpAddress; readonly warm: boolean }

/**
 * @returns undefined where nobody is to be told
 * @throws {IngestError} when the variables cannot be used, which must not fail a push
 */
export async function siteConfig(
  flags: { readonly revalidate?: boolean; readonly warm?: boolean },
  env: Environment,
): Promise<SiteConfig | undefined> {
  const [url, token] = [env['BENCH_SITE_BASE_URL'], env['BENCH_REVALIDATE_TOKEN']]
  if (!url || !token || flags.revalidate === false) return undefined
  const base = parseServerUrl(url, 'BENCH_SITE_BASE_URL')
  const address = await siteAddress(base, checkToken(token.trim(), 'BENCH_REVALIDATE_TOKEN'), env)
  return Object.freeze({ address, warm: flags.warm !== false })
}

export function commitConfig(flags: CommitFlags, env: Environment): CommitConfig {
  const ci = detectCi(env)
  return Object.freeze({
    sha: flags.commitSha,
    file: flags.commit,
    benchmarkId: flags.benchmarkId,
    repoUrl: flags.repoUrl ?? ci?.repoUrl,
    gitDir: flags.gitDir,
    ci,
    env,
  })
}

/** Colour only where a person looks, and never against their wish (no-color.org). */
export function wantsColor(stream: { readonly isTTY?: boolean }, env: Environment): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}
