/** Collects the secrets that the program was given, so that they can be hidden, and finds those that are missing in CI. */

import { readFile, stat } from 'node:fs/promises'
import { type Environment, detectCi } from '../commit/ci.js'
import { readPullRequest } from '../commit/pull-request.js'
import { isVariableName, PII_KEY_VARIABLE } from '../config/environment.js'
import type { OptionDeclaration } from '../config/option.js'
import { TOKEN_VARIABLES } from '../hosting/hosting.js'
import { TARGET_KINDS, type TargetFlags, namedKinds } from './kinds.js'

/** Secrets that belong to no target. */
const VARIABLES = [
  'BENCH_REVALIDATE_TOKEN',
  'VORTEX_INGEST_OPERATOR_TOKEN',
  'VORTEX_INGEST_WEBHOOK',
  PII_KEY_VARIABLE,
  ...Object.values(TOKEN_VARIABLES).flat(),
]

const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']

/** Shorter values are not hidden, because replacing every "a" would make a log unreadable. */
const SHORTEST = 4

/** The secrets, without duplicates. A password in a URL is included both as written and percent-decoded. */
export async function collectSecrets(flags: TargetFlags, env: Environment): Promise<readonly string[]> {
  const addresses = [...values(flags, 'address'), flags['store'], ...PROXIES.map(name => env[name])]
  const passwords = addresses.flatMap(address => passwordsIn(typeof address === 'string' ? address : ''))
  const found = [...(await collectTokens(flags, env)), ...passwords]
  return [...new Set(found)].filter(secret => secret.length >= SHORTEST)
}

/** The secrets in variables and files. */
export async function collectTokens(flags: TargetFlags, env: Environment): Promise<readonly string[]> {
  const named = values(flags, 'variable')
  const variables = [...VARIABLES, ...TARGET_KINDS.flatMap(kind => kind.secretVariables), ...named]
  const files = await Promise.all(values(flags, 'file').map(fileSecret))
  // The value of --token-env may be the token itself, given by mistake.
  const misplaced = named.filter(name => !isVariableName(name) && !env[name])
  const found = [...variables.map(name => env[name]), ...files, ...misplaced]
  return found.flatMap(text => text?.trim() || [])
}

/** The given values of the options with a sort of secret. */
function values(flags: TargetFlags, secret: OptionDeclaration['secret']): readonly string[] {
  const options = TARGET_KINDS.flatMap(kind => Object.entries({ ...kind.options, ...kind.registration.options }))
  const names = new Set(options.flatMap(([name, option]) => (option.secret === secret ? [name] : [])))
  return [...names].flatMap(name => {
    const value = flags[name]
    return typeof value === 'string' ? [value] : []
  })
}

/** Reads the token file. Pipes are not read, because their content can be read only once and is needed elsewhere. */
async function fileSecret(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isFile() ? await readFile(path, 'utf8') : undefined
  } catch {
    // The code that needs the token reports the error.
    return undefined
  }
}

const IN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^:/@\s]*:([^\s]*)@/i
const IN_PARAMETER = /(?:^|[?&\s])password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s&]*))/gi

function passwordsIn(address: string): readonly string[] {
  const parameters = [...address.matchAll(IN_PARAMETER)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const inUrl = IN_URL.exec(address)?.[1]
  return [...(inUrl === undefined ? [] : [inUrl]), ...parameters].flatMap(text => [text, decoded(text)])
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export type MissingSecrets = {
  /** The empty or missing variables. */
  readonly names: readonly string[]
  readonly isFork: boolean
}

/** The secrets that this push needs and the CI run lacks; undefined outside CI and when none is missing. */
export async function findMissingSecrets(flags: TargetFlags, env: Environment): Promise<MissingSecrets | undefined> {
  if (detectCi(env) === undefined) return undefined
  const isFork = isForksPullRequest(env)
  const missing = namedKinds(flags).map(async kind => (await kind.missingSecrets?.(flags, { env, isFork })) ?? [])
  const names = [...(await Promise.all(missing)).flat(), ...missingKey(flags, { env, isFork })]
  return names.length === 0 ? undefined : { names, isFork }
}

/** An empty variable counts as missing, in a pull request from a fork also an unset one. */
function missingKey({ pii }: TargetFlags, { env, isFork }: { readonly env: Environment; readonly isFork: boolean }) {
  const key = env[PII_KEY_VARIABLE]
  return pii === 'mask' && (key === '' || (isFork && key === undefined)) ? [PII_KEY_VARIABLE] : []
}

/** Whether this is a pull request from another repository, which gets no secrets from GitHub. */
function isForksPullRequest(env: Environment): boolean {
  const { GITHUB_ACTIONS: isGithub, GITHUB_EVENT_NAME: event } = env
  return isGithub === 'true' && event === 'pull_request' && readPullRequest(env)?.isFork === true
}
