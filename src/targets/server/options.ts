/** The options of an ingest service. */

import { NATURAL, POSITIVE, SECONDS, type OptionValues, type ValueType } from '../../config/option.js'
import { PII, RETRY_DEADLINE, SECRET_ENV } from '../shared-options.js'

const COMPRESS_MODES = ['always', 'auto', 'never'] as const

/** When bodies are sent as gzip. `auto` sends gzip until the server refuses it. */
export type CompressMode = (typeof COMPRESS_MODES)[number]

/** In earlier versions `--compress` took no value and its environment variable was a switch, so these words still work. */
const SWITCH_WORDS: Readonly<Record<string, CompressMode>> = {
  ...{ 1: 'always', true: 'always', yes: 'always', on: 'always' },
  ...{ 0: 'never', false: 'never', no: 'never', off: 'never' },
}

const COMPRESS: ValueType<CompressMode> = {
  parse: text => COMPRESS_MODES.find(mode => mode === text) ?? SWITCH_WORDS[text.trim().toLowerCase()],
  rule: `Allowed choices are ${COMPRESS_MODES.join(', ')}.`,
}

export const DEFAULT_TOKEN_VARIABLE = 'INGEST_BEARER_TOKEN'

export const SERVER_OPTIONS = {
  server: {
    value: '<url>',
    help: 'ingest service (path A), such as https://ingest.example.com',
    forReading: true,
  },
  tokenEnv: {
    value: '<name>',
    help: `environment variable that holds the token of the server (default: ${DEFAULT_TOKEN_VARIABLE})`,
    secret: 'variable',
  },
  tokenFile: { value: '<file>', help: 'file that holds the token of the server', secret: 'file' },
} as const

const MIB = 1024 * 1024

export const SERVER_DELIVERY_OPTIONS = {
  maxEnvelopeBytes: {
    value: '<n>',
    help: 'split a larger file into several envelopes, each committed separately (default: 60 MiB)',
    type: POSITIVE,
    default: 60 * MIB,
  },
  timeout: {
    value: '<seconds>',
    help: 'idle timeout for responses (default: 120)',
    type: SECONDS,
    default: 120,
    forReading: true,
  },
  retries: {
    value: '<n>',
    help: 'maximum number of retries per request (default: 8)',
    type: NATURAL,
    default: 8,
  },
  retryDeadline: { ...RETRY_DEADLINE, default: 120 },
  compress: {
    value: '[when]',
    help: 'compress requests with gzip; auto sends uncompressed requests to a server that refuses gzip',
    choices: COMPRESS_MODES,
    preset: 'always',
    type: COMPRESS,
    default: 'never',
  },
  pii: PII,
} as const

export const SERVER_REGISTRATION = { secretEnv: SECRET_ENV, pii: PII } as const

export type ServerTargetOptions = OptionValues<
  typeof SERVER_OPTIONS & typeof SERVER_DELIVERY_OPTIONS & typeof SERVER_REGISTRATION
>

export const SERVER_DEFAULTS = {
  maxEnvelopeBytes: SERVER_DELIVERY_OPTIONS.maxEnvelopeBytes.default,
  timeout: SERVER_DELIVERY_OPTIONS.timeout.default,
  retries: SERVER_DELIVERY_OPTIONS.retries.default,
  retryDeadline: SERVER_DELIVERY_OPTIONS.retryDeadline.default,
} as const

/** The limits of requests that follow from the options. */
export type RequestLimits = {
  /** Maximum time without any byte in either direction. */
  readonly idleTimeoutMs: number
  /** Maximum size of a whole body before compression. */
  readonly maxEnvelopeBytes: number
  /** From 1 to 9; 0 sends bodies uncompressed. */
  readonly gzipLevel: number
  /** The reaction to a server that seems to reject gzip: fail with its error, or send the body again uncompressed. */
  readonly whenGzipRefused: 'fail' | 'resend'
}
