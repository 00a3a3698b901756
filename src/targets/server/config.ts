/** Interprets the options of an ingest service. */

import { setTimeout } from 'node:timers/promises'
import { readFile } from 'node:fs/promises'
import type { Environment } from '../../commit/ci.js'
import { isVariableName } from '../../config/environment.js'
import { IngestError, messageOf } from '../../errors.js'
import { describeServer, parseServerUrl, type HttpAddress, isLoopback } from '../../http/address.js'
import type { RetryTools } from '../../http/retry.js'
import { assertSendable, siteAddress } from '../../http/site-address.js'
import type { OpenWorld, Setting } from '../kind.js'
import type { SinkOpener } from '../sink.js'
import {
  DEFAULT_TOKEN_VARIABLE,
  SERVER_DEFAULTS,
  type CompressMode,
  type RequestLimits,
  type ServerTargetOptions,
} from './options.js'
import { monotonicMs } from '../../monotonic-time.js'

// Measured: higher levels cost more time than they save on the wire.
const COMPRESS_LEVEL = 1

function serverLimits(options: ServerTargetOptions): RequestLimits {
  const { timeout = SERVER_DEFAULTS.timeout, maxEnvelopeBytes = SERVER_DEFAULTS.maxEnvelopeBytes, compress } = options
  return {
    idleTimeoutMs: timeout * 1000,
    maxEnvelopeBytes,
    gzipLevel: compress === undefined || compress === 'never' ? 0 : COMPRESS_LEVEL,
    whenGzipRefused: compress === ('auto' satisfies CompressMode) ? 'resend' : 'fail',
  }
}

/** The address of the service, without secrets. @param name of the option in messages */
export function describeServerTarget({ server = '' }: ServerTargetOptions, name?: string): string {
  return describeServer(parseServerUrl(server, name))
}

/**
 * Reads the token and opens the target.
 * @throws {IngestError} `auth_failed` without a token, unless the server is on this machine
 */
export async function openServer(options: ServerTargetOptions, world: OpenWorld): Promise<SinkOpener> {
  const { env, random, signal, onWarning } = world
  const base = parseServerUrl(options.server ?? '')
  const address = await siteAddress(base, await serverToken(base, options, env), env)
  if (base.protocol === 'http:' && !isLoopback(base.hostname))
    onWarning(`the token and the records go unencrypted to ${describeServer(base)}`)
  const sleep = (delayMs: number): Promise<void> => setTimeout(delayMs, undefined, { signal })
  return openServerSink(address, options, { random, sleep, now: monotonicMs })
}

/** Prepares a sink for a server whose address and token are known. */
export async function openServerSink(
  address: HttpAddress,
  options: ServerTargetOptions,
  tools: RetryTools,
): Promise<SinkOpener> {
  const { serverSink } = await import('./sink.js')
  const { retries = SERVER_DEFAULTS.retries, retryDeadline = SERVER_DEFAULTS.retryDeadline } = options
  const policy = { attempts: retries + 1, baseDelayMs: 500, maxDelayMs: 30_000, deadlineMs: retryDeadline * 1000 }
  return serverSink({ address, ...serverLimits(options), policy, tools })
}

/** A server that is only read from, which needs no token. */
export type ReadServerConfig = { readonly address: HttpAddress; readonly idleTimeoutMs: number }

export async function readServerConfig(
  options: Pick<ServerTargetOptions, 'server' | 'timeout'>,
  env: Environment,
): Promise<ReadServerConfig> {
  const address = await siteAddress(parseServerUrl(options.server ?? ''), undefined, env)
  return Object.freeze({ address, idleTimeoutMs: serverLimits(options).idleTimeoutMs })
}

/**
 * The bearer token for a server.
 * @throws {IngestError} `auth_failed` when there is none, unless the server is on this machine
 * @throws {IngestError} `usage` when options name two tokens
 */
export async function serverToken(
  base: URL,
  options: ServerTargetOptions,
  env: Environment,
): Promise<string | undefined> {
  const token = await bearerToken(options, env)
  if (token === undefined && !isLoopback(base.hostname)) {
    const hint = `set ${variableOf(options)}, or name a variable or a file with --token-env or --token-file`
    throw new IngestError('auth_failed', `no token for ${describeServer(base)}`, { hint })
  }
  return token
}

function variableOf({ tokenEnv, secretEnv }: ServerTargetOptions): string {
  return secretEnv ?? tokenEnv ?? DEFAULT_TOKEN_VARIABLE
}

/** Reads the token from a variable or file. It is never a flag value, because process lists show those. */
async function bearerToken(options: ServerTargetOptions, env: Environment): Promise<string | undefined> {
  const { tokenEnv, tokenFile, secretEnv } = options
  if (tokenEnv !== undefined && tokenFile !== undefined)
    throw new IngestError('usage', '--token-env and --token-file name two tokens', { hint: 'give one of them' })
  const variable = variableOf(options)
  const [where, text] = tokenFile === undefined ? [variable, env[variable]] : [tokenFile, await readToken(tokenFile)]
  const token = text?.trim() ?? ''
  if (token !== '') return assertSendable(token, where)
  if (tokenEnv === undefined && tokenFile === undefined && secretEnv === undefined) return undefined
  if (tokenFile !== undefined || isVariableName(where))
    throw new IngestError('auth_failed', `there is no token in ${where}`)
  throw new IngestError('auth_failed', 'there is no token in the variable that --token-env names', {
    hint: '--token-env takes the name of a variable, such as INGEST_BEARER_TOKEN, not the token',
  })
}

async function readToken(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new IngestError('auth_failed', `cannot read the token: ${messageOf(cause)}`, { cause })
  }
}

/** Where the token comes from. The value of the token is not shown. */
export function tokenSetting({ tokenEnv, tokenFile }: ServerTargetOptions, env: Environment): Setting {
  if (tokenFile !== undefined) return { name: 'token', value: 'in a file', origin: tokenFile }
  const variable = tokenEnv ?? DEFAULT_TOKEN_VARIABLE
  if (env[variable]) return { name: 'token', value: 'set', origin: variable }
  // The variable's name is not shown, because it may be the token itself, given by mistake.
  return { name: 'token', value: 'not set', origin: tokenEnv === undefined ? variable : '--token-env' }
}
