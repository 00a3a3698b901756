/** The error class, its codes and the exit code of each code. */

/** Exit codes of the process. The README and every `--help` list them. */
export const EXIT = {
  done: 0,
  internal: 1,
  usage: 2,
  rejections: 3,
  mismatch: 4,
  regression: 5,
  inconclusive: 6,
  badData: 65,
  noInput: 66,
  unavailable: 69,
  queued: 75,
  auth: 77,
  config: 78,
  interrupted: 130,
  terminated: 143,
} as const

const EXIT_OF_CODE = {
  internal: EXIT.internal,
  usage: EXIT.usage,
  not_finite: EXIT.badData,
  bad_data: EXIT.badData,
  input_changed: EXIT.badData,
  no_input: EXIT.noInput,
  input_unreadable: EXIT.noInput,
  input_corrupt: EXIT.badData,
  wrong_format: EXIT.badData,
  commit_unknown: EXIT.config,
  git_failed: EXIT.config,
  target_unreachable: EXIT.unavailable,
  target_failed: EXIT.unavailable,
  target_busy: EXIT.unavailable,
  target_refused: EXIT.config,
  auth_failed: EXIT.auth,
  target_misconfigured: EXIT.config,
  schema_version: EXIT.config,
  config_invalid: EXIT.config,
  storage_failed: EXIT.unavailable,
  storage_denied: EXIT.auth,
  state_conflict: EXIT.queued,
  state_corrupt: EXIT.config,
  state_version: EXIT.config,
  already_exists: EXIT.config,
  not_found: EXIT.config,
  in_use: EXIT.config,
  protected: EXIT.config,
  queued: EXIT.queued,
  interrupted: EXIT.interrupted,
  terminated: EXIT.terminated,
} as const

export type ErrorCode = keyof typeof EXIT_OF_CODE

const TOO_MANY_FILES = ['EMFILE', 'ENFILE']
/** The hint for too few file descriptors. */
export const RAISE_LIMIT = 'raise the limit of open files, for example with `ulimit -n 1024`'

/** Whether an error or one of its causes is that this process or system may not open more files or connections. */
function isTooManyFiles(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return TOO_MANY_FILES.includes(systemCodeOf(error) ?? '') || isTooManyFiles(error.cause)
}

/** An error that no code expected, as it is reported. */
export function unexpectedError(error: unknown): unknown {
  if (error instanceof IngestError || !isTooManyFiles(error)) return error
  return new IngestError('config_invalid', messageOf(error), { cause: error })
}

export type ErrorDetails = { readonly cause?: unknown; readonly hint?: string | undefined }

/**
 * An error of the environment, configuration or usage. Bad data is a `Rejection` and is not thrown. Too few file
 * descriptors are an error of the configuration, whatever they made fail, because retries and other targets do not help.
 */
export class IngestError extends Error {
  readonly code: ErrorCode
  /** Advice for the user: one thing to do. Does not contain the word "hint". */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, { cause, hint }: ErrorDetails = {}) {
    super(message, { cause })
    this.name = 'IngestError'
    const isOutOfFiles = isTooManyFiles(cause)
    this.code = isOutOfFiles ? 'config_invalid' : code
    this.hint = isOutOfFiles ? RAISE_LIMIT : hint
  }

  get exitCode(): number {
    return exitCodeOfCode(this.code)
  }
}

/** The exit code for an error code. */
export function exitCodeOfCode(code: ErrorCode): number {
  return EXIT_OF_CODE[code]
}

/** The exit code for any thrown value. */
export function exitCodeOf(error: unknown): number {
  return error instanceof IngestError ? error.exitCode : EXIT.internal
}

/** Exit codes of a failure that passes by itself: without a state, and with a state in which the records remain queued. */
export const TRANSIENT_EXITS: readonly number[] = [EXIT.unavailable, EXIT.queued]

const REFUSALS: readonly string[] = [
  'auth_failed',
  'bad_data',
  'schema_version',
  'storage_denied',
  'target_misconfigured',
  'target_refused',
] satisfies readonly ErrorCode[]

/**
 * Why a target has failed: it is `down`, which passes by itself, or it `refuses` until somebody acts, for example because of
 * a rejected login, a constraint, or data that it cannot hold.
 */
export type FailureCause = 'down' | 'refuses'

/**
 * @param code an `ErrorCode`, or the code of an event that another version stored
 * @returns undefined when the target is not the cause
 */
export function failureCause(code: string): FailureCause | undefined {
  if (REFUSALS.includes(code)) return 'refuses'
  return TRANSIENT_EXITS.includes(EXIT_OF_CODE[code as ErrorCode]) ? 'down' : undefined
}

const STATE_FAILURES: readonly ErrorCode[] = ['storage_failed', 'storage_denied', 'state_corrupt', 'state_version']

/** Whether the state failed, and not a target: no target reports these codes. */
export function isStateFailure(error: unknown): boolean {
  return error instanceof IngestError && STATE_FAILURES.includes(error.code)
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The error to report after an abort: the one that the abort caused, if it says more than the reason. */
export function abortError(error: unknown, { reason }: AbortSignal): unknown {
  return error instanceof IngestError && error.cause === reason ? error : reason
}

/** The `code` of a system, Node or Postgres error; undefined when it has none. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** The SQLSTATE of an error or of the nearest cause that has one. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = systemCodeOf(current)
    if (code !== undefined && isSqlState(code)) return code
  }
  return undefined
}

// Codes such as EPIPE have five characters too, but the SQLSTATE of an error starts with a digit, F, H, P or X.
export function isSqlState(code: string): boolean {
  return /^[0-9FHPX][0-9A-Z]{4}$/.test(code)
}
