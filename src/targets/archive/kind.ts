/** An archive of the original lines in object storage as a target kind. */

import { IngestError } from '../../errors.js'
import type { TargetKind } from '../kind.js'
import { PII } from '../shared-options.js'
import { ARCHIVE_OPTIONS, ARCHIVE_REGISTRATION, type ArchiveOptions } from './options.js'

export const ARCHIVE: TargetKind<ArchiveOptions> = {
  kind: 'archive',
  address: 'archive',
  options: ARCHIVE_OPTIONS,
  deliveryOptions: { pii: PII },
  registration: {
    address: '',
    options: ARCHIVE_REGISTRATION,
    storedAs: 'bucket',
    async storedAddress({ archive, bucket }) {
      if (bucket !== undefined && archive === undefined) return bucket
      throw new IngestError('usage', 'an archive is given --bucket NAME, and no address')
    },
  },
  // Objects that are written again are compared byte for byte, so their compression must not vary.
  tunables: [],
  secretVariables: [],
  describe: async options => (await loadConfig()).describeArchiveTarget(options),
  targetId: async (options, world) => (await loadConfig()).archiveTargetId(options, world),
  async open(options, world) {
    const { openArchive } = await loadConfig()
    return openArchive(options, world)
  },
  async checks(options, world) {
    const { archiveChecks } = await import('./checks.js')
    return archiveChecks(options, world)
  },
}

function loadConfig(): Promise<typeof import('./config.js')> {
  return import('./config.js')
}
