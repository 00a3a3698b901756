/**
 * Checks both id implementations against the golden vectors of every contract version, and the version anchors: the places that
 * state a contract version.
 */

import { readFile, stat } from 'node:fs/promises'
import { ANCHORS, brokenAnchor, type Anchor } from '../contract/anchors.js'
import { goldenFile, mismatches, readVectors, type Mismatch, type VectorFile } from '../contract/golden.js'
import { jsHash64, wasmHash64, type Hash64 } from '../contract/hash64.js'
import { CONTRACTS } from '../contract/kinds.js'
import { IngestError } from '../errors.js'
import { packageFile } from '../package-file.js'
import { readBody } from './exact-json.js'
import { unreadableError } from './source.js'

export type GoldenCheck = {
  readonly files: readonly GoldenFileCheck[]
  readonly anchors: AnchorCheck
  /** Whether every id is as expected and every anchor states its version. */
  readonly isGood: boolean
}

export type GoldenFileCheck = {
  readonly file: string
  readonly contractVersion: number
  /** Number of vectors. */
  readonly vectors: number
  readonly checks: readonly ImplementationCheck[]
}

export type ImplementationCheck = { readonly implementation: string; readonly mismatches: readonly Mismatch[] }

export type AnchorCheck = { readonly checked: readonly Anchor[]; readonly broken: readonly string[] }

/**
 * @param vectors a further file of golden vectors
 * @throws {IngestError} `bad_data` for a file that holds no vectors
 */
export async function checkGolden(vectors: string | undefined): Promise<GoldenCheck> {
  const implementations = await loadImplementations()
  const files: GoldenFileCheck[] = []
  for (const version of CONTRACTS.keys()) {
    const name = goldenFile(version)
    files.push(checkFile(name, await loadVectors(name, packageFile(name)), implementations))
  }
  if (vectors !== undefined) files.push(checkFile(vectors, await loadVectors(vectors, vectors), implementations))
  const anchors = await checkAnchors()
  const isGood = files.every(({ checks }) => checks.every(check => check.mismatches.length === 0))
  return { files, anchors, isGood: isGood && anchors.broken.length === 0 }
}

type Implementations = readonly (readonly [name: string, hash: Hash64])[]

async function loadImplementations(): Promise<Implementations> {
  return [
    ['xxhash-wasm', await wasmHash64()],
    ['xxhashjs', await jsHash64()],
  ]
}

type Vectors = Extract<VectorFile, { ok: true }>

function checkFile(
  file: string,
  { contractVersion, vectors }: Vectors,
  implementations: Implementations,
): GoldenFileCheck {
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

async function checkAnchors(): Promise<AnchorCheck> {
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
