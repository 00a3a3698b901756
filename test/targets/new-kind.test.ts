/** Adding a target kind takes a declaration and an entry in the list: flags, variables, registry and doctor follow. */

import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { main } from '../../src/cli/main.js'
import type { OptionValues } from '../../src/config/option.js'
import { ok } from '../../src/doctor/finding.js'
import { sumReceipt } from '../../src/source/delivery.js'
import type { TargetKind } from '../../src/targets/kind.js'
import { TARGET_KINDS } from '../../src/targets/kinds.js'
import { jsonl, oneOfEach, writeCommit, writeLines } from '../fixtures/records.js'

const OPTIONS = { linesFile: { value: '<file>', help: 'append the lines to this file' } } as const
const REGISTRATION = { linesAbove: { value: '<text>', help: 'line to write before those of a delivery' } } as const

/** A target that appends the lines of each delivery to a file. */
const LINES_FILE: TargetKind<OptionValues<typeof OPTIONS & typeof REGISTRATION>> = {
  kind: 'lines-file',
  address: 'linesFile',
  options: OPTIONS,
  deliveryOptions: {},
  registration: { address: 'FILE', options: REGISTRATION, storedAddress: async ({ linesFile = '' }) => linesFile },
  tunables: [],
  secretVariables: [],
  describe: async ({ linesFile }) => `the lines in ${linesFile}`,
  targetId: async ({ linesFile }) => `lines-file:${linesFile}`,
  async open({ linesFile = '', linesAbove }) {
    return {
      ...{ id: `lines-file:${linesFile}`, description: `the lines in ${linesFile}`, opensEarly: false },
      open: async () => ({
        async write(delivery) {
          if (linesAbove !== undefined) await appendFile(linesFile, `${linesAbove}\n`)
          for await (const { bytes } of delivery.lines()) await appendFile(linesFile, bytes)
          const counts = [...delivery.counts].map(([kind, records]) => ({ kind, records, inserted: records }))
          return sumReceipt(counts.map(count => ({ ...count, updated: 0, unchanged: 0 })))
        },
        close: () => Promise.resolve(),
      }),
    }
  },
  checks: async ({ linesFile }) => ({
    target: `the lines in ${linesFile}`,
    checks: [{ name: 'file', run: async () => [ok('it takes lines')] }],
  }),
}

TARGET_KINDS.push(LINES_FILE)

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Runs the command line in this process, where the kind is declared. */
async function run(args: readonly string[]): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const world = { argv: ['node', 'vortex-ingest', ...args], env: {}, stdin: process.stdin, stdout, stderr }
  const code = await main({ ...world, on: () => process, off: () => process } as unknown as Parameters<typeof main>[0])
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) }
}

function textOf(stream: PassThrough): string {
  return ((stream.read() as Buffer | null) ?? Buffer.alloc(0)).toString()
}

function folder(t: Test): {
  readonly out: string
  readonly push: readonly string[]
  readonly state: readonly string[]
} {
  const cwd = t.testdir({})
  const input = writeLines(cwd, 'f.jsonl', oneOfEach())
  const push = ['push', input, '--commit', writeCommit(cwd), '--format', 'json']
  return { out: join(cwd, 'out'), push, state: ['--state', join(cwd, 'state')] }
}

t.test('a push by flag and by variable delivers to the new kind', async t => {
  const { out, push } = folder(t)
  const pushed = await run([...push, '--lines-file', out])
  t.equal(pushed.code, 0, pushed.stderr)
  t.match(JSON.parse(pushed.stdout), { targets: [{ name: 'lines-file', kind: 'lines-file', inserted: 5 }] })
  process.env['VORTEX_INGEST_LINES_FILE'] = out
  t.equal((await run(push)).code, 0)
  delete process.env['VORTEX_INGEST_LINES_FILE']
  t.equal(await readFile(out, 'utf8'), jsonl(oneOfEach()).repeat(2))
})

t.test('the new kind can be registered, and a push with the state delivers to it', async t => {
  const { out, push, state } = folder(t)
  const added = await run(['targets', 'add', 'copy', 'lines-file', out, '--lines-above', 'new', ...state])
  t.equal(added.code, 0, added.stderr)
  const pushed = await run([...push, ...state])
  t.equal(pushed.code, 0, pushed.stderr)
  t.match(JSON.parse(pushed.stdout), { targets: [{ name: 'copy', kind: 'lines-file', required: true }] })
  t.equal(await readFile(out, 'utf8'), `new\n${jsonl(oneOfEach())}`)
  t.match(await run(['targets', 'test', 'copy', ...state]), { code: 0, stdout: /it takes lines/ })
})

t.test('options of other kinds are refused for it, doctor checks it, and help and completion know it', async t => {
  const { out, state } = folder(t)
  const refused = await run(['targets', 'add', 'copy', 'lines-file', out, '--bucket', 'cold', ...state])
  t.match(refused, { code: 2, stderr: /--bucket is an option of archive, not of lines-file/ })
  t.match(await run(['doctor', '--lines-file', out]), {
    code: 0,
    stdout: /the lines in .*\n {2}ok +file +it takes lines/,
  })
  t.match(await run(['drain', '--help']), { code: 0, stdout: /--lines-file <file>/ })
  t.match(await run(['completion', '--query', '--', 'targets', 'add', 'copy', 'lin']), { stdout: /^lines-file\t/ })
})
