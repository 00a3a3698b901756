/** Loads the embedded database. Its engine is an optional package, so it may not be installed. */

import { IngestError, systemCodeOf } from '../../errors.js'
import { optionalPackages } from '../../package-file.js'

type EmbeddedDatabase = typeof import('./session.js')

/** @throws {IngestError} `target_misconfigured` when the engine is not installed */
export async function loadEmbedded(): Promise<EmbeddedDatabase> {
  try {
    return await import('./session.js')
  } catch (error) {
    if (isEngineMissing(error)) throw missingEngine(error)
    throw error
  }
}

/** Node's `require` and `import` have an error code each for a package that is not there. */
function isEngineMissing(error: unknown): boolean {
  return ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(systemCodeOf(error) ?? '')
}

function missingEngine(cause: unknown): IngestError {
  const packages = Object.entries(optionalPackages()).map(([name, version]) => `${name}@${version}`)
  return new IngestError('target_misconfigured', 'the engine of the embedded database is not installed', {
    cause,
    hint: `npm install ${packages.join(' ')} (with --global when vortex-ingest is installed so)`,
  })
}
