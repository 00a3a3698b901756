/** Removes secrets from the report, even if a server or a proxy echoes them. */

import { readFile } from 'node:fs/promises'
import { isVariableName } from '../config/server.js'
import type { Told } from '../config/settings.js'
import { redact } from '../redact.js'
import type { Examined } from './run.js'

/** Shorter values are not removed, because they may be ordinary words. */
const SHORTEST = 6

export async function tokensOf({ flags: { tokenEnv, tokenFile }, env }: Told): Promise<readonly string[]> {
  const variables = [
    tokenEnv,
    'INGEST_BEARER_TOKEN',
    'BENCH_REVALIDATE_TOKEN',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
  ]
  const values = variables.map(name => (name === undefined ? undefined : env[name]))
  // The value of --token-env may be the token itself, given by mistake.
  const misplaced = tokenEnv !== undefined && !isVariableName(tokenEnv) && !env[tokenEnv] ? tokenEnv : undefined
  const kept = tokenFile === undefined ? undefined : await readFile(tokenFile, 'utf8').catch(() => undefined)
  return [...values, kept, misplaced].flatMap(text => {
    const token = text?.trim() ?? ''
    return token.length < SHORTEST ? [] : [token]
  })
}

export function withoutTokens({ name, target, lines }: Examined, tokens: readonly string[]): Examined {
  const hide = (text: string): string => redact(tokens.reduce((shown, token) => shown.replaceAll(token, '***'), text))
  return {
    name,
    target: target === undefined ? undefined : hide(target),
    lines: lines.map(line => {
      const fact = hide(line.fact)
      return line.status === 'ok' || line.hint === undefined
        ? { ...line, fact }
        : { ...line, fact, hint: hide(line.hint) }
    }),
  }
}
