/** The tokens that a server requires from its clients. They are checked before the server listens. */

import { readFile } from 'node:fs/promises'
import { OPERATOR_TOKEN, withoutNewline, type ServeAuth, type ServeConfig } from './config.js'
import { IngestError } from '../../../errors.js'
import { unreadableError } from '../../../source/source.js'

/**
 * The token that writers must send.
 * @returns undefined with `--insecure-no-auth`, when everybody may write
 * @throws {IngestError} `config_invalid`
 */
export async function requiredToken(auth: ServeAuth): Promise<string | undefined> {
  if (auth.kind === 'none') return undefined
  const token = auth.kind === 'token' ? auth.token : await readToken(auth.path)
  assertSendable(token, auth.kind === 'file' ? `the token file ${auth.path}` : 'INGEST_BEARER_TOKEN')
  return token
}

/** Requires operators and writers to have different tokens, so that a writer's token does not grant operator rights. */
export function assertOperatorToken({ operatorToken }: ServeConfig, token: string | undefined): void {
  if (operatorToken === undefined) return
  assertSendable(operatorToken, OPERATOR_TOKEN)
  if (operatorToken !== token) return
  const hint = 'give operators a token of their own'
  throw new IngestError('config_invalid', `${OPERATOR_TOKEN} is the token of those who write`, { hint })
}

/** Refuses a token that no HTTP header can carry, because no client could ever authenticate with it. */
function assertSendable(token: string, where: string): void {
  if (/^[\x21-\x7e]+$/.test(token)) return
  const what = token === '' ? 'is empty' : 'holds spaces or other characters that no header can carry'
  throw new IngestError('config_invalid', `${where} ${what}`, { hint: 'a token is one line of letters and digits' })
}

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new IngestError('config_invalid', unreadableError(`the token file ${path}`, cause).message, { cause })
  })
  return withoutNewline(text)
}
