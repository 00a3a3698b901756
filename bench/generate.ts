/** Generates emitter records of all five kinds with distinct ids, for checkouts without the shared generator. */

const ENGINES = ['datafusion', 'duckdb', 'vortex', 'arrow']
const FORMATS = ['parquet', 'vortex-file-compressed', 'vortex-compact', 'arrow']
const DATASETS = ['tpch', 'tpcds', 'clickbench', 'statpopgen', 'fineweb', 'gharchive', 'public-bi']
const STORAGES = ['nvme', 's3']
const LAYOUTS = ['partitioned', 'trained']
const ENV = { env_triple: 'x86_64-unknown-linux-gnu' }

/** Yields lines without their line feed. The same arguments always yield the same lines. */
export function* generateLines(count: number, sha: string): Generator<string> {
  const random = randomIntegers(count)
  for (let index = 0; index < count; index++) {
    const { kind, ...fields } = recordOf(index, random)
    yield JSON.stringify({ kind, commit_sha: sha, ...fields })
  }
}

type Random = (from: number, to: number) => number
type Fields = { readonly kind: string } & Readonly<Record<string, unknown>>

/** 80 of 100 records are queries. The other kinds share the rest as in a real run. */
function recordOf(index: number, random: Random): Fields {
  const share = index % 100
  if (share < 80) return queryOf(index, random)
  const dataset = `set-${index}`
  const format = pick(FORMATS, random(0, FORMATS.length - 1))
  if (share < 90) {
    const op = index % 2 === 0 ? 'encode' : 'decode'
    return { kind: 'compression_time', dataset, format, op, ...timesOf(random), ...ENV }
  }
  if (share < 95) return { kind: 'compression_size', dataset, format, value_bytes: random(1, 2 ** 40) }
  if (share < 98) return { kind: 'random_access_time', dataset, format, ...timesOf(random), ...ENV }
  return vectorSearchOf(dataset, random)
}

/** The dimensions are the digits of the index, each in its own base, so that no two records have the same dimensions. */
function queryOf(index: number, random: Random): Fields {
  let rest = index
  const next = (base: number): number => {
    const digit = rest % base
    rest = Math.floor(rest / base)
    return digit
  }
  const dataset = pick(DATASETS, next(DATASETS.length))
  const where = { storage: pick(STORAGES, next(STORAGES.length)), engine: pick(ENGINES, next(ENGINES.length)) }
  const format = pick(FORMATS, next(FORMATS.length))
  const variant = dataset === 'public-bi' && { dataset_variant: `bi-${random(0, 5000)}` }
  const scale = dataset.startsWith('tpc') && { scale_factor: String(10 ** random(0, 3)) }
  const dimensions = { dataset, ...variant, ...scale, query_idx: rest, ...where, format }
  const memory = random(1, 10) <= 3 && memoryOf(random)
  return { kind: 'query_measurement', ...dimensions, ...timesOf(random), ...memory, ...ENV }
}

function vectorSearchOf(dataset: string, random: Random): Fields {
  const dimensions = {
    dataset,
    layout: pick(LAYOUTS, random(0, 1)),
    flavor: 'vortex-turboquant',
    threshold: random(1, 999) / 1000,
  }
  const counts = { matches: random(0, 1e6), rows_scanned: 1e7, bytes_scanned: random(1, 2 ** 35), iterations: 5 }
  return { kind: 'vector_search_run', ...dimensions, ...timesOf(random), ...counts, ...ENV }
}

function timesOf(random: Random): object {
  const base = random(1e6, 1e10)
  const runtimes = Array.from({ length: 5 }, () => base + random(0, 1e6))
  return { value_ns: runtimes.toSorted((a, b) => a - b)[2], all_runtimes_ns: runtimes }
}

function memoryOf(random: Random): object {
  const peaks = { peak_physical: random(1, 2 ** 34), peak_virtual: random(1, 2 ** 36) }
  return { ...peaks, physical_delta: random(-(2 ** 20), 2 ** 30), virtual_delta: random(-(2 ** 20), 2 ** 30) }
}

function pick(list: readonly string[], index: number): string {
  return list[index] ?? ''
}

/** A xorshift generator, written here so that a seed gives the same numbers on every platform and in every version. */
function randomIntegers(seed: number): Random {
  let state = seed || 1
  return (from, to) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return from + Math.floor(((state >>> 0) / 2 ** 32) * (to - from + 1))
  }
}
