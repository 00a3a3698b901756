/** `golden-check`: both id implementations against the golden vectors, and the version anchors. */

import { readFile, stat } from 'node:fs/promises'
import { ANCHORS, brokenAnchor } from '../contract/anchors.js'
import { mismatches, readVectors, type Mismatch, type Vector } from '../contract/golden.js'
import { jsHash64, wasmHash64, type Hash64 } from '../contract/hash64.js'
import { SCHEMA_VERSION } from '../contract/kinds.js'
import { EXIT, IngestError } from '../errors.js'
import { readBody } from '../source/body.js'
import { unreadable } from '../source/source.js'
import type { Action, Format } from './context.js'
import { packageFile } from './package-file.js'
import { plural, type Report } from './report.js'

export type GoldenFlags = { readonly format: Format; readonly vectors?: string }

type Check = { readonly implementation: string; readonly mismatches: readonly Mismatch[] }
type FileCheck = { readonly file: string; readonly vectors: number; readonly checks: readonly Check[] }

const OWN_VECTORS = 'golden/measurement-id.json'

export const goldenCheck: Action<GoldenFlags> = async (_args, { format, vectors }, { report }) => {
  const own = await checkFile(OWN_VECTORS, new URL(OWN_VECTORS, packageFile('')))
  const files = vectors === undefined ? [own] : [own, await checkFile(vectors, vectors)]
  const anchors = await checkAnchors()
  const failed =
    anchors.broken.length > 0 || files.some(({ checks }) => checks.some(check => check.mismatches.length > 0))
  const exitCode = failed ? EXIT.mismatch : EXIT.done
  if (format === 'json') report.json(jsonReport(files, anchors, exitCode))
  else printHuman(report, files, anchors)
  return exitCode
}

async function checkFile(name: string, path: string | URL): Promise<FileCheck> {
  const vectors = await loadVectors(name, path)
  const implementations: readonly [string, Hash64][] = [
    ['xxhash-wasm', await wasmHash64()],
    ['xxhashjs', await jsHash64()],
  ]
  const checks = implementations.map(([implementation, hash]) => ({
    implementation,
    mismatches: mismatches(vectors, hash),
  }))
  return { file: name, vectors: vectors.length, checks }
}

async function loadVectors(name: string, path: string | URL): Promise<readonly Vector[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(name, error)
  })
  const document = readBody(bytes)
  if (!document.ok) throw new IngestError('bad_data', `${name} ${document.message}`)
  const file = readVectors(document.value)
  if (!file.ok) {
    const hint = 'the format is {"seed":0,"vectors":[{"table","fields","measurement_id"}]}'
    throw new IngestError('bad_data', `${name} ${file.message}`, { hint })
  }
  if (file.vectors.length === 0) throw new IngestError('bad_data', `${name} holds no vectors, so it proves nothing`)
  return file.vectors
}

type Anchors = { readonly checked: readonly string[]; readonly broken: readonly string[] }

async function checkAnchors(): Promise<Anchors> {
  const inCheckout = await stat(packageFile('src')).then(
    () => true,
    () => false,
  )
  const anchors = ANCHORS.filter(anchor => inCheckout || anchor.sourceOnly !== true)
  const broken: string[] = []
  for (const anchor of anchors) {
    const text = await readFile(packageFile(anchor.file), 'utf8').catch(() => undefined)
    const problem = brokenAnchor(anchor, text)
    if (problem !== undefined) broken.push(problem)
  }
  return { checked: anchors.map(({ file }) => file), broken }
}

const SHOWN = 5

function printHuman(report: Report, files: readonly FileCheck[], { checked, broken }: Anchors): void {
  for (const { file, vectors, checks } of files)
    for (const { implementation, mismatches: found } of checks) {
      const good = found.length === 0
      const all = good ? `all ${plural(vectors, 'vector')}` : `${found.length} of ${plural(vectors, 'vector')} differ`
      report.verdict(good, good ? 'ok:' : 'mismatch:', `${implementation}: ${all} of ${file}`)
      for (const { index, table, expected, got } of found.slice(0, SHOWN))
        report.result(`  vector ${index} (${table}): expected ${expected}, got ${got}`)
      if (found.length > SHOWN) report.result(`  and ${found.length - SHOWN} more`)
    }
  for (const problem of broken) report.verdict(false, 'mismatch:', problem)
  if (broken.length === 0)
    report.verdict(
      true,
      'ok:',
      `schema version ${SCHEMA_VERSION} in ${plural(checked.length, 'place')}: ${checked.join(', ')}`,
    )
}

function jsonReport(files: readonly FileCheck[], { checked, broken }: Anchors, exitCode: number): object {
  return {
    command: 'golden-check',
    exit_code: exitCode,
    schema_version: SCHEMA_VERSION,
    files: files.map(({ file, vectors, checks }) => ({ file, vectors, checks: checks.map(jsonCheck) })),
    anchors: { checked, broken },
  }
}

function jsonCheck({ implementation, mismatches: found }: Check): object {
  return { implementation, mismatched: found.length, first: found.slice(0, SHOWN) }
}
