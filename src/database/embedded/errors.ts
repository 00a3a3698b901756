/** Converts errors of the file system and of PGlite into readable errors. */
import { IngestError, messageOf, sqlStateOf, systemCodeOf } from '../../errors.js'
import { meaningOfState } from '../sql-state.js'

const MORE_SPACE = 'free some (a new database takes 60 MB), then run the same command again'

/** For each system error about the folder itself: the fault and the hint. */
const FOLDER_FAULTS: Readonly<Record<string, readonly [fault: string, hint: string]>> = {
  EACCES: ['cannot be written', 'check who owns it, or use another folder'],
  EPERM: ['cannot be written', 'check who owns it, or use another folder'],
  EROFS: ['is on a read-only file system', 'use another folder'],
  EEXIST: ['is not a folder', 'use another path'],
  ENOTDIR: ['is not a folder', 'use another path'],
  ENOSPC: ['has no disk space left', MORE_SPACE],
  EDQUOT: ['has no disk quota left', MORE_SPACE],
}

/** SQLSTATEs of files that are missing or contradict each other: class XX, and a file that does not exist. */
const DAMAGE_STATE = /^(XX...|58P01)$/

/** The error for a failure to open or create the database in `dir`. An `IngestError` is returned unchanged. */
export function folderError(dir: string, cause: unknown): IngestError {
  if (cause instanceof IngestError) return cause
  const code = systemCodeOf(cause)
  if (code === undefined) return new IngestError('internal', messageOf(cause), { cause })
  const [fault, hint] = FOLDER_FAULTS[code] ?? ['cannot be used', 'use another folder']
  const message = `the folder of the embedded database ${dir} ${fault}: ${messageOf(cause)}`
  return new IngestError('target_misconfigured', message, { cause, hint })
}

export function missingDatabase(dir: string): IngestError {
  return new IngestError('target_misconfigured', `there is no embedded database in ${dir}`, {
    hint: '`vortex-ingest push …` makes one',
  })
}

const NEW_DATABASE_HINT = 'move it away, then push again to create a new one'
const MEMORY_HINT =
  'it needs 300 MB of memory; if that is available, move the folder away, then push again to create a new one'

/** The error for a data folder that Postgres cannot start from. @param reason Postgres's own explanation, if it gave one */
export function unusableDatabase(dataDir: string, reason: string | undefined, cause?: unknown): IngestError {
  const message = `cannot start the embedded database in ${dataDir}: ${reason ?? messageOf(cause)}`
  const isFull = /no space left|quota/i.test(reason ?? '')
  const advice = isFull ? MORE_SPACE : NEW_DATABASE_HINT
  return new IngestError('target_misconfigured', message, { cause, hint: reason === undefined ? MEMORY_HINT : advice })
}

export function wrongVersion(dataDir: string, foundVersion: string, ownVersion: string): IngestError {
  const message = `the embedded database in ${dataDir} was made by Postgres ${foundVersion}, and this version has ${ownVersion}`
  return new IngestError('target_misconfigured', message, {
    hint: 'open it with the version of vortex-ingest that made it, or move it away and push again',
  })
}

const SCHEMA_HINT = '`vortex-ingest migrate` updates its tables'

/** The error for a statement that Postgres rejected. The session remains usable. */
export function statementError(dataDir: string, cause: unknown): IngestError {
  if (DAMAGE_STATE.test(systemCodeOf(cause) ?? '')) return damagedDatabase(dataDir, messageOf(cause), cause)
  const message = `embedded database: ${messageOf(cause)}`
  const state = sqlStateOf(cause)
  if (state === undefined) return new IngestError('target_failed', message, { cause })
  const { code, hint = code === 'target_misconfigured' ? SCHEMA_HINT : undefined } = meaningOfState(state)
  return new IngestError(code, message, { cause, ...(hint !== undefined && { hint }) })
}

/** The error for a crashed engine. Committed data is safe, and the next start recovers it. */
export function brokenEngine(reason: string, cause?: unknown): IngestError {
  return new IngestError('target_failed', `the embedded database stopped: ${reason}`, {
    cause,
    hint: 'committed records are safe: check the disk, then run the same command again',
  })
}

/** The error for a database whose files contradict each other. Retrying does not help. */
export function damagedDatabase(dataDir: string, reason: string, cause: unknown): IngestError {
  const message = `the embedded database in ${dataDir} is damaged: ${reason}`
  return new IngestError('target_misconfigured', message, { cause, hint: NEW_DATABASE_HINT })
}
