/** `targets ls` on terminals that are wide enough for its table, and on those that are not. */

import t from 'tap'
import { runCli } from '../../fixtures/cli.js'
import { onTerminal, screenOf, noTerminal } from '../../fixtures/terminal.js'

const LS = 'vortex-ingest targets ls --no-check --state state'
const ADDRESSES = ['https://ingest.benchmarks.example.com', 'https://ingest.staging.example.com']

t.test('targets ls', { skip: noTerminal }, async t => {
  const cwd = t.testdir({})
  for (const [index, address] of ADDRESSES.entries()) {
    const args = ['targets', 'add', `site-${index}`, 'server', address, '--best-effort', '--state', 'state']
    t.equal((await runCli(args, { cwd })).code, 0)
  }
  const shownAt = async (columns: number): Promise<readonly string[]> =>
    screenOf((await onTerminal(LS, { columns, cwd })).text).filter(line => line !== '')

  await t.test('is one line a target where there is room', async t => {
    const [head, ...lines] = await shownAt(140)
    t.match(head, /^NAME +KIND +ADDRESS +REQUIRED +REACHABLE +LACKS +LAST ERROR +SETTINGS$/)
    t.equal(lines.length, 2)
  })

  for (const columns of [100, 80, 60])
    await t.test(`fits ${columns} columns, with what is long below its target`, async t => {
      const [head, ...lines] = await shownAt(columns)
      t.match(head, /^NAME +KIND +REQUIRED +REACHABLE +LACKS$/)
      t.match(lines[0], /^site-0 +server +best effort +- +nothing$/)
      t.strictSame(
        [lines[1], lines[3]],
        ADDRESSES.map(address => `  ${address}`),
        'and nothing that says nothing',
      )
      for (const line of lines) t.ok(line.length <= columns, line)
    })

  await t.test('is the whole table where no terminal is', async t => {
    const { stdout } = await runCli(['targets', 'ls', '--no-check', '--state', 'state'], { cwd })
    t.match(stdout, /^NAME +KIND +ADDRESS .* SETTINGS\n/)
  })
})
