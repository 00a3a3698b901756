/** `golden-check`: checks both id implementations against the golden vectors of every contract version, and the version anchors. */

import { readFile, stat } from 'node:fs/promises'
import { ANCHORS, brokenAnchor, type Anchor } from '../../../contract/anchors.js'
import { goldenFile, mismatches, readVectors, type Mismatch, type VectorFile } from '../../../contract/golden.js'
import { jsHash64, wasmHash64, type Hash64 } from '../../../contract/hash64.js'
import { CONTRACTS, SCHEMA_VERSION } from '../../../contract/kinds.js'
import { EXIT, IngestError } from '../../../errors.js'
import { readBody } from '../../../source/exact-json.js'
import { unreadableError } from '../../../source/source.js'
import type { Action, Format } from '../../context.js'
import { packageFile } from '../../../package-file.js'
import { plural, type Report } from '../../output/report.js'
import type { GoldenCheckReport } from '../../../reports/records.js'

export type GoldenFlags = { readonly format: Format; readonly vectors?: string }

type Check = { readonly implementation: string; readonly mismatches: readonly Mismatch[] }
type FileCheck = {
  readonly file: string
  readonly contractVersion: number
  readonly vectors: number
  readonly checks: readonly Check[]
}

export const goldenCheck: Action<GoldenFlags> = async (_args, { format, vectors }, { report }) => {
  const implementations = await loadImplementations()
  const files: FileCheck[] = []
  for (const version of CONTRACTS.keys()) {
    const name = goldenFile(version)
    files.push(checkFile(name, await loadVectors(name, packageFile(name)), implementations))
  }
  if (vectors !== undefined) files.push(checkFile(vectors, await loadVectors(vectors, vectors), implementations))
  const anchors = await checkAnchors()
  const failed =
    anchors.broken.length > 0 || files.some(({ checks }) => checks.some(check => check.mismatches.length > 0))
  const exitCode = failed ? EXIT.mismatch : EXIT.done
  if (format === 'json') report.json<GoldenCheckReport>(jsonReport(files, anchors, exitCode))
  else printHuman(report, files, anchors)
  return exitCode
}

type Implementations = readonly (readonly [name: string, hash: Hash64])[]

async function loadImplementations(): Promise<Implementations> {
  return [
    ['xxhash-wasm', await wasmHash64()],
    ['xxhashjs', await jsHash64()],
  ]
}

type Vectors = Extract<VectorFile, { ok: true }>

function checkFile(file: string, { contractVersion, vectors }: Vectors, implementations: Implementations): FileCheck {
  const checks = implementations.map(([implementation, hash]) => ({
    implementation,
    mismatches: mismatches(vectors, hash),
  }))
  return { file, contractVersion, vectors: vectors.length, checks }
}

async function loadVectors(name: string, path: string | URL): Promise<Vectors> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadableError(name, error)
  })
  const document = readBody(bytes)
  if (!document.ok) throw new IngestError('bad_data', `${name} ${document.message}`)
  const file = readVectors(document.value)
  if (!file.ok) {
    const hint = 'the format is {"contract_version":3,"seed":0,"vectors":[{"table","fields","measurement_id"}]}'
    throw new IngestError('bad_data', `${name} ${file.message}`, { hint })
  }
  if (file.vectors.length === 0) throw new IngestError('bad_data', `${name} holds no vectors, so it proves nothing`)
  return file
}

type Anchors = { readonly checked: readonly Anchor[]; readonly broken: readonly string[] }

async function checkAnchors(): Promise<Anchors> {
  const inCheckout = await stat(packageFile('src')).then(
    () => true,
    () => false,
  )
  const checked = ANCHORS.filter(anchor => inCheckout || anchor.sourceOnly !== true)
  const broken: string[] = []
  for (const anchor of checked) {
    const text = await readFile(packageFile(anchor.file), 'utf8').catch(() => undefined)
    const problem = brokenAnchor(anchor, text)
    if (problem !== undefined) broken.push(problem)
  }
  return { checked, broken }
}

const SHOWN = 5

function printHuman(report: Report, files: readonly FileCheck[], anchors: Anchors): void {
  for (const file of files) for (const check of file.checks) printCheck(report, file, check)
  printAnchors(report, anchors)
}

function printCheck(report: Report, file: FileCheck, { implementation, mismatches: found }: Check): void {
  const good = found.length === 0
  const vectors = plural(file.vectors, 'vector')
  const all = good ? `all ${vectors}` : `${found.length} of ${vectors} differ`
  const where = `contract version ${file.contractVersion}, ${implementation}`
  report.verdict(good, good ? 'ok:' : 'mismatch:', `${where}: ${all} of ${file.file}`)
  for (const { index, table, expected, got } of found.slice(0, SHOWN))
    report.result(`  vector ${index} (${table}): expected ${expected}, got ${got}`)
  if (found.length > SHOWN) report.result(`  and ${found.length - SHOWN} more`)
}

function printAnchors(report: Report, { checked, broken }: Anchors): void {
  for (const problem of broken) report.verdict(false, 'mismatch:', problem)
  if (broken.length > 0) return
  for (const version of CONTRACTS.keys()) {
    const files = checked.filter(anchor => anchor.version === version).map(({ file }) => file)
    report.verdict(true, 'ok:', `contract version ${version} in ${plural(files.length, 'place')}: ${files.join(', ')}`)
  }
}

function jsonReport(files: readonly FileCheck[], { checked, broken }: Anchors, exitCode: number): GoldenCheckReport {
  return {
    command: 'golden-check',
    exit_code: exitCode,
    schema_version: SCHEMA_VERSION,
    files: files.map(jsonFile),
    anchors: { checked: checked.map(({ file }) => file), broken },
  }
}

type CheckedFile = GoldenCheckReport['files'][number]

function jsonFile({ file, contractVersion, vectors, checks }: FileCheck): CheckedFile {
  return { file, contract_version: contractVersion, vectors, checks: checks.map(jsonCheck) }
}

function jsonCheck({ implementation, mismatches: found }: Check): CheckedFile['checks'][number] {
  return { implementation, mismatched: found.length, first: found.slice(0, SHOWN) }
}
