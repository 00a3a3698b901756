/** The embedded database of this machine as a target kind. */

import { resolve } from 'node:path'
import type { OptionValues } from '../../config/option.js'
import { COPY_BYTES, SMALL_ROWS, WORK_MEM } from '../../database/tunables.js'
import { IngestError } from '../../errors.js'
import { PII, WRITE_SETTING_OPTIONS } from '../shared-options.js'
import type { TargetKind } from '../kind.js'

export const EMBEDDED_FOLDER = '.vortex-ingest'

const OPTIONS = {
  embedded: {
    value: '[dir]',
    help: `the embedded database in this folder (default: ${EMBEDDED_FOLDER})`,
    default: EMBEDDED_FOLDER,
    forReading: true,
  },
} as const

type EmbeddedOptions = OptionValues<typeof OPTIONS>

export const EMBEDDED: TargetKind<EmbeddedOptions> = {
  kind: 'embedded',
  address: 'embedded',
  options: OPTIONS,
  deliveryOptions: { ...WRITE_SETTING_OPTIONS, pii: PII },
  registration: {
    address: 'DIR',
    options: { pii: PII },
    async storedAddress({ embedded = '' }) {
      if (embedded === true || NO_FOLDER.test(embedded))
        throw new IngestError('usage', 'an embedded database lies in a folder')
      return resolve(embedded)
    },
  },
  // The embedded engine shares the memory of this process, so the largest values are left out.
  tunables: [COPY_BYTES, SMALL_ROWS, { ...WORK_MEM, values: [4, 16, 32, 64] }],
  secretVariables: [],
  describe: async options => `the embedded database in ${folderOf(options)}`,
  targetId: async options => `embedded:${resolve(folderOf(options))}`,
  async open(options, { rehearse = false }) {
    const { embeddedSink } = await import('./sink.js')
    return embeddedSink(folderOf(options), { rehearse })
  },
  async checks(options) {
    const { embeddedChecks } = await import('./checks.js')
    return embeddedChecks(folderOf(options))
  },
  async openSession(options, { create, signal }) {
    const { loadEmbedded } = await import('../../database/embedded/load.js')
    const folder = folderOf(options)
    const { openEmbedded } = await loadEmbedded()
    const session = await openEmbedded(folder, { create, signal })
    return { session, description: `the embedded database in ${folder}`, close: () => session.close() }
  },
}

/**
 * Matches values that are refused as folders, because they are probably inputs, as in `push --embedded *.jsonl`, or an
 * address.
 */
export const NO_FOLDER = /^$|^[a-z][a-z0-9+.-]*:\/\/|[*?]|\.(?:jsonl?|ndjson|gz|zst)$/i

/** @throws {IngestError} `usage` for a value that is no folder */
function folderOf({ embedded = true }: EmbeddedOptions): string {
  const folder = embedded === true ? EMBEDDED_FOLDER : embedded
  if (!NO_FOLDER.test(folder)) return folder
  const hint = 'name inputs before --embedded, and a Postgres database with --postgres'
  throw new IngestError('usage', `--embedded takes a folder, got ${folder || 'no name'}`, { hint })
}
