/** Finds the kind of the places that `--from` and `--to` name. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CONTRACT } from '../../../contract/kinds.js'
import { databaseSource } from '../../../delivery/copy/sources/database.js'
import type { CopySource } from '../../../delivery/copy/copy-source.js'
import type { Target } from '../../../delivery/target.js'
import { IngestError } from '../../../errors.js'
import { redact } from '../../../redact.js'
import type { TargetKind } from '../../../targets/kind.js'
import { parseKind, type TargetFlags } from '../../../targets/kinds.js'
import type { Context } from '../../context.js'
import { openWorld, settingsFor } from '../../options/target-world.js'

/** The kinds of places. A source can be any of them, a target only a target kind. */
type PlaceKind = 'postgres' | 'server' | 'embedded' | 'archive'

/** A DSN may also be libpq keywords such as `host=db dbname=bench`. */
const PATTERNS: readonly (readonly [PlaceKind, RegExp])[] = [
  ['postgres', /^postgres(?:ql)?:\/\/|^\s*\w+\s*=/i],
  ['server', /^https?:\/\//i],
  ['archive', /^s3:\/\//i],
]

function kindOf(place: string): PlaceKind {
  const found = PATTERNS.find(([, pattern]) => pattern.test(place))
  if (found !== undefined) return found[0]
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(place) ?? []
  if (scheme !== undefined)
    throw new IngestError('usage', `${redact(place)} is no place that copy knows`, {
      hint: 'docs/data.md lists the places',
    })
  return CONTRACT.kinds.some(({ table }) => existsSync(join(place, table))) ? 'archive' : 'embedded'
}

/** @throws {IngestError} `usage` for a place that is no source */
export async function openSource(place: string, flags: TargetFlags, context: Context): Promise<CopySource> {
  const kind = kindOf(place)
  if (kind === 'postgres' || kind === 'embedded') return openDatabaseSource(parseKind(kind), { place, flags, context })
  throw new IngestError('usage', `${redact(place)} cannot be copied from`, { hint: 'docs/data.md lists the sources' })
}

type DatabasePlace = { readonly place: string; readonly flags: TargetFlags; readonly context: Context }

async function openDatabaseSource(kind: TargetKind, { place, flags, context }: DatabasePlace): Promise<CopySource> {
  const options = { ...flags, [kind.address]: place }
  const world = { ...openWorld(context), create: false }
  return databaseSource({
    id: await kind.targetId(options, world),
    description: await kind.describe(options, world),
    // A database has sessions.
    open: () => kind.openSession!(options, world),
  })
}

export type OpenedTarget = { readonly kind: TargetKind; readonly options: TargetFlags; readonly target: Target }

/** @throws {IngestError} `usage` for a place that is no target */
export async function openTarget(place: string, flags: TargetFlags, context: Context): Promise<OpenedTarget> {
  const kind = parseKind(kindOf(place))
  const options = { ...flags, [kind.address]: place }
  const opener = await kind.open(options, openWorld(context))
  if (opener.needsOutbox === true)
    throw new IngestError('usage', `${opener.description} stores only records that were pushed with a state`, {
      hint: 'copy to a database or a server; `export` writes files',
    })
  const target = { name: kind.kind, kind: kind.kind, opener, ...settingsFor(kind, flags, context) }
  return { kind, options, target }
}
