/** What the file system and PGlite throw, as the one error a person gets to read. */
import { IngestError, messageOf, systemCodeOf } from '../../errors.js'

const MORE_SPACE = 'free some (a new database takes 60 MB), then run the same command again'

/** System errors that say something about the folder itself: what is wrong with it, and what helps. */
const FOLDER_FAULTS: Readonly<Record<string, readonly [fault: string, hint: string]>> = {
  EACCES: ['cannot be written', 'check who owns it, or use another folder'],
  EPERM: ['cannot be written', 'check who owns it, or use another folder'],
  EROFS: ['is on a read-only file system', 'use another folder'],
  EEXIST: ['is not a folder', 'use another path'],
  ENOTDIR: ['is not a folder', 'use another path'],
  ENOSPC: ['has no disk space left', MORE_SPACE],
  EDQUOT: ['has no disk quota left', MORE_SPACE],
}

/** SQL states that mean the schema is not what this version writes. */
const SCHEMA_STATES = new Set(['42P01', '42703'])

/** An error met while opening or making the database in `dir`; one that is for people already stays as it is. */
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

/** A data folder that Postgres does not start from, and it says for which `reason`. */
export function unusableDatabase(dataDir: string, reason: string, cause?: unknown): IngestError {
  const hint = /no space left|quota/i.test(reason) ? MORE_SPACE : 'move it away, then push again to make a new one'
  const message = `cannot start the embedded database in ${dataDir}: ${reason}`
  return new IngestError('target_misconfigured', message, { cause, hint })
}

/** A data folder that Postgres does not start from, without a word. */
export function deadDatabase(dataDir: string, cause: unknown): IngestError {
  const message = `cannot start the embedded database in ${dataDir}: ${messageOf(cause)}`
  return new IngestError('target_misconfigured', message, {
    cause,
    hint: 'it needs 300 MB of memory; if that is there, move it away, then push again to make a new one',
  })
}

export function wrongVersion(dataDir: string, theirs: string, ours: string): IngestError {
  const message = `the embedded database in ${dataDir} was made by Postgres ${theirs}, and this version has ${ours}`
  return new IngestError('target_misconfigured', message, {
    hint: 'open it with the version of vortex-ingest that made it, or move it away and push again',
  })
}

/** A statement that Postgres refused; the session goes on. */
export function statementError(cause: unknown): IngestError {
  const message = `embedded database: ${messageOf(cause)}`
  if (!SCHEMA_STATES.has(systemCodeOf(cause) ?? '')) return new IngestError('target_failed', message, { cause })
  const hint = '`vortex-ingest migrate` brings its tables up to date'
  return new IngestError('target_misconfigured', message, { cause, hint })
}

/** An engine that can no longer be trusted: what it committed is safe, and comes back at the next start. */
export function brokenEngine(reason: string, cause?: unknown): IngestError {
  return new IngestError('target_failed', `the embedded database stopped: ${reason}`, {
    cause,
    hint: 'what was committed is safe; see to the disk, then run the same command again',
  })
}
