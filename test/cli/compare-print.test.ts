import t from 'tap'
import { printCompared } from '../../src/cli/commands/compare/human.js'
import { Report } from '../../src/cli/output/report.js'
import { compareCommits } from '../../src/analysis/comparison.js'
import type { Measurement } from '../../src/analysis/series.js'
import { CONTRACT } from '../../src/contract/kinds.js'

const kind = CONTRACT.kinds.find(({ kind }) => kind === 'random_access_time')!
const row = (dataset: string, value: bigint): Measurement => ({
  ...{ dimensions: [dataset, 'vortex-file-compressed'], value, platform: null, uncompressed: undefined },
  runtimes: Array.from({ length: 10 }, (_, run) => value + BigInt(run)),
})

/** The printed comparison of `count` series that became twice as slow. */
function printed(count: number, columns: number | undefined, verbose = false, dataset = 'nested-structs'): string[] {
  const names = Array.from({ length: count }, (_, index) => `${dataset}-${index}`)
  const rows = { base: names.map(name => row(name, 1000n)), head: names.map(name => row(name, 2000n)) }
  const commit = { timestamp: '2026-01-01T00:00:00Z', subject: 'x' }
  const compared = {
    ...compareCommits([{ kind, rows }], 1.1),
    ...{ base: { ...commit, sha: 'a'.repeat(40) }, head: { ...commit, sha: 'b'.repeat(40) } },
    ...{
      access: [{ kind, by: 'scan' as const, tableBytes: 2 ** 30, indexed: [] }],
      threshold: 1.1,
      target: 'there',
      remarks: [],
    },
  }
  let text = ''
  const stdout = { write: (part: string | Uint8Array) => (text += String(part)) }
  printCompared(new Report({ stdout, stderr: stdout, colorOut: false, colorErr: false }), compared, {
    verbose,
    columns,
  })
  return text.trimEnd().split('\n')
}

t.test('on a wide terminal a series is one line', async t => {
  t.match(
    printed(1, 120)[1],
    /^ {2}slower {2}2\.000 {2}q < 0\.0001 {2}1,000 → 2,000 ns {2}random_access_time nested-structs-0 /,
  )
})

t.test('on a narrow terminal its name has lines of its own, and no line of words is too long', async t => {
  const lines = printed(1, 50)
  t.strictSame(lines.slice(1, 4), [
    '  slower  2.000  q < 0.0001  1,000 → 2,000 ns',
    '    random_access_time nested-structs-0',
    '      vortex-file-compressed',
  ])
  t.strictSame(
    lines.slice(1).filter(line => line.length > 50),
    [],
  )
})

t.test('twenty series are shown, all of them with -v', async t => {
  t.equal(printed(25, undefined).filter(line => line.startsWith('  slower')).length, 20)
  t.match(printed(25, undefined).join('\n'), '\n  … and 5 more that changed (-v shows all)\n')
  t.equal(printed(25, undefined, true).filter(line => line.startsWith('  slower')).length, 25)
})

t.test('reading a large table is reported, with the way to avoid it', async t => {
  t.match(
    printed(1, undefined).at(-1),
    /^note: all 1\.0 GiB of random_access_times were read, .* CREATE INDEX CONCURRENTLY ON/,
  )
})

t.test('names from a database cannot move the cursor', async t => {
  t.notMatch(printed(1, undefined, true, 'a\u001b[2Jb\nc').join('\n'), /\u001b|\nc/)
})
