/** Collects every secret that the program was given, so that they can be hidden in logs. */

import { readFile, stat } from 'node:fs/promises'
import type { Environment } from '../commit/ci.js'

export type SecretFlags = {
  readonly tokenEnv?: string
  readonly secretEnv?: string
  readonly tokenFile?: string
  readonly postgres?: string
  readonly store?: string
}

const VARIABLES = [
  'INGEST_BEARER_TOKEN',
  'BENCH_REVALIDATE_TOKEN',
  'VORTEX_INGEST_OPERATOR_TOKEN',
  'PGPASSWORD',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
]

const ADDRESSES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']

/** Shorter values are not hidden, because replacing every "a" would make a log unreadable. */
const SHORTEST = 4

/** The secrets, without duplicates. A password in a URL is included both as written and percent-decoded. */
export async function secretsOf(flags: SecretFlags, env: Environment): Promise<readonly string[]> {
  const variables = [...VARIABLES, ...[flags.tokenEnv, flags.secretEnv].filter(name => name !== undefined)]
  const addresses = [flags.postgres, flags.store, ...ADDRESSES.map(name => env[name])]
  const found = [
    ...variables.map(name => env[name]?.trim()),
    await fileSecret(flags.tokenFile),
    ...addresses.flatMap(address => passwordsIn(address ?? '')),
  ]
  return [...new Set(found.filter(secret => secret !== undefined))].filter(secret => secret.length >= SHORTEST)
}

/** Reads the token file. Pipes are not read, because their content can be read only once and is needed elsewhere. */
async function fileSecret(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return (await stat(path)).isFile() ? (await readFile(path, 'utf8')).trim() : undefined
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
