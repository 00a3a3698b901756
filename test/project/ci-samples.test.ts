/** The sample workflows of docs/ci-*.md: their commands, flags and inputs exist, and they pin the program. */

import { readdirSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { projectFile, runCli } from '../fixtures/cli.js'

const DOCS = readdirSync(projectFile('docs')).filter(name => /^ci-.*\.md$/.test(name))
const { inputs } = parse(readFileSync(projectFile('action.yml'), 'utf8')) as { readonly inputs: object }

type Step = { readonly run?: string; readonly uses?: string; readonly with?: Readonly<Record<string, string>> }

/** Every step or command of a sample, in order, whatever the CI service calls it. */
function stepsIn(value: unknown): readonly Step[] {
  if (typeof value !== 'object' || value === null) return []
  const { run, uses, command, script } = value as Step & {
    readonly command?: unknown
    readonly script?: readonly string[]
  }
  if (run !== undefined || uses !== undefined) return [value]
  if (typeof command === 'string') return [{ run: command }]
  return script === undefined ? Object.values(value).flatMap(stepsIn) : script.map(run => ({ run }))
}

function samplesIn(name: string): readonly string[] {
  const text = readFileSync(projectFile(`docs/${name}`), 'utf8')
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, sample = '']) => sample)
}

const help = new Map<string, string>()

async function helpOf(command: string): Promise<string> {
  const known = help.get(command) ?? (await runCli([command, '--help'])).stdout
  help.set(command, known)
  return known
}

async function checkFlags(t: Test, command: string, text: string): Promise<void> {
  for (const [flag] of text.matchAll(/--[a-z][a-z-]*/g))
    t.match(await helpOf(command), new RegExp(`${flag}\\b`), `${command} ${flag}`)
}

/** The commands that a step runs, in order. */
async function commandsOf(t: Test, { run = '', uses, with: given = {} }: Step): Promise<readonly string[]> {
  if (uses?.includes('vortex-ingest') === true) {
    for (const name of Object.keys(given)) t.ok(name in inputs, `the action has an input ${name}`)
    const command = given['command'] ?? 'push'
    await checkFlags(t, command, given['args'] ?? '')
    return [command]
  }
  const calls = [...run.matchAll(/^ *vortex-ingest ([a-z]+)([^\n;>]*)/gm)]
  for (const [, command = '', flags = ''] of calls) await checkFlags(t, command, flags)
  return calls.map(([, command = '']) => command)
}

for (const name of DOCS)
  t.test(`docs/${name}: the sample validates, pushes and compares, with flags that exist`, async t => {
    const samples = samplesIn(name)
    const commands: string[] = []
    for (const step of stepsIn(parse(samples[0] ?? ''))) commands.push(...(await commandsOf(t, step)))
    t.strictSame(commands, ['validate', 'push', 'compare'])
    for (const sample of samples) {
      parse(sample)
      t.notMatch(sample, 'npx', 'the package name may belong to somebody else')
    }
  })
