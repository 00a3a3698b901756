/** Finds the kind of the places that `--from` and `--to` name. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CONTRACT } from '../../../contract/kinds.js'
import { databaseSource } from '../../../delivery/copy/sources/database.js'
import type { CopySource } from '../../../delivery/copy/copy-source.js'
import type { Target } from '../../../delivery/target.js'
import { IngestError } from '../../../errors.js'
import { redact } from '../../../redact.js'
import { parseStorageAddress } from '../../../storage/address.js'
import { openBucketStorage } from '../../../storage/open-storage.js'
import { archiveId, describeArchive } from '../../../targets/archive/options.js'
import type { TargetKind } from '../../../targets/kind.js'
import { findKind, parseKind, type TargetFlags } from '../../../targets/kinds.js'
import { readServerConfig } from '../../../targets/server/config.js'
import type { Context } from '../../context.js'
import { openWorld, settingsFor } from '../../options/target-world.js'
import { metadataFinder, type CommitsFlags } from './commits.js'

/** The kinds of places. A source can be any of them, a target only a target kind. */
type PlaceKind = 'postgres' | 'server' | 'embedded' | 'archive' | 'file' | 'duckdb' | 'mysql'

/** A DSN may also be libpq keywords such as `host=db dbname=bench`. */
const PATTERNS: readonly (readonly [PlaceKind, RegExp])[] = [
  ['postgres', /^postgres(?:ql)?:\/\/|^\s*\w+\s*=/i],
  ['server', /^https?:\/\//i],
  ['mysql', /^(?:mysql|mariadb):\/\//i],
  ['archive', /^s3:\/\//i],
  ['duckdb', /\.(?:duckdb|ddb|db)$/i],
  ['file', /\.(?:jsonl?|ndjson)(?:\.(?:gz|zst))?$/i],
]

function kindOf(place: string): PlaceKind {
  const found = PATTERNS.find(([, pattern]) => pattern.test(place))
  if (found !== undefined) return found[0]
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(place) ?? []
  if (scheme !== undefined)
    throw new IngestError('usage', `${redact(place)} is no place that copy knows`, { hint: PLACES_HINT })
  return CONTRACT.kinds.some(({ table }) => existsSync(join(place, table))) ? 'archive' : 'embedded'
}

const PLACES_HINT = 'docs/data.md lists the places'

export type PlaceFlags = TargetFlags & CommitsFlags

/** @throws {IngestError} `usage` for a place that is no source */
export async function openSource(place: string, flags: PlaceFlags, context: Context): Promise<CopySource> {
  const kind = kindOf(place)
  const { signal, watch } = context
  switch (kind) {
    case 'file': {
      const { recordFileSource } = await import('../../../delivery/copy/sources/files.js')
      return recordFileSource(place, { findCommit: metadataFinder(flags, context), watch: watch?.reads, signal })
    }
    case 'duckdb': {
      const { duckdbSource } = await import('../../../delivery/copy/sources/duckdb.js')
      return duckdbSource(place)
    }
    case 'mysql': {
      const { mysqlSource } = await import('../../../delivery/copy/sources/mysql.js')
      return mysqlSource(place, context.env, signal)
    }
    case 'archive':
      return openArchiveSource(place, flags, context)
    case 'server': {
      const { serverSource } = await import('../../../delivery/copy/sources/server.js')
      const options = { ...flags, server: place }
      const id = await parseKind('server').targetId(options, openWorld(context))
      return serverSource(id, { ...(await readServerConfig(options, context.env)), signal })
    }
    case 'postgres':
    case 'embedded':
      return openDatabaseSource(parseKind(kind), { place, flags, context })
  }
}

async function openArchiveSource(place: string, flags: PlaceFlags, context: Context): Promise<CopySource> {
  const address = parseStorageAddress(place)
  const { archiveSource } = await import('../../../delivery/copy/sources/archive.js')
  return archiveSource({
    ...{ id: archiveId(address), description: describeArchive(address), signal: context.signal },
    open: () => openBucketStorage(address),
    findCommit: metadataFinder(flags, context),
  })
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
  const kindName = kindOf(place)
  if (findKind(kindName)?.openSession === undefined && kindName !== 'server')
    throw new IngestError('usage', `${redact(place)} cannot be the target of a copy`, {
      hint: 'copy to a database or a server; `export` writes files and archives are written by push with a state',
    })
  const kind = parseKind(kindName)
  const options = { ...flags, [kind.address]: place }
  const opener = await kind.open(options, openWorld(context))
  const target = { name: kind.kind, kind: kind.kind, opener, ...settingsFor(kind, flags, context) }
  return { kind, options, target }
}
