/** Writes the generated documentation and JSON Schemas. `--check` only compares. */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Context } from '../src/cli/context.js'
import { pathOf, withSubcommands } from '../src/cli/options/command-tree.js'
import { buildProgram } from '../src/cli/program.js'
import { CONTRACTS, SCHEMA_VERSION } from '../src/contract/kinds.js'
import { publishedSchemas, schemaText } from '../src/contract/schema.js'
import { reportSchemas } from '../src/reports/published.js'
import { configSchema } from './config-schema.js'
import { contractTables } from './contract-tables.js'
import { manPage } from './man-page.js'
import { writtenDocument } from './openapi.js'

const REFERENCE = 'docs/commands.md'
const MAN_PAGE = 'man/vortex-ingest.1'
const CONFIG_SCHEMA = 'schemas/config.json'
const README = 'README.md'
const CONTRACT_PAGE = 'docs/contract.md'
const OPENAPI = `schemas/v${SCHEMA_VERSION}/openapi.json`
const START = '<!-- prettier-ignore-start -->\n<!-- Written by `npm run docs`. -->'
const END = '<!-- prettier-ignore-end -->'

/** The content of each generated file, by name. @param root URL of the package folder, with a trailing slash */
export async function generatedDocs(root: URL): Promise<ReadonlyMap<string, string>> {
  const program = await documentedProgram()
  return new Map([
    [REFERENCE, reference(program)],
    [MAN_PAGE, manPage(program)],
    [CONFIG_SCHEMA, `${JSON.stringify(configSchema(program), undefined, 2)}\n`],
    [README, await withBlock(root, README, table(program))],
    [CONTRACT_PAGE, await withBlock(root, CONTRACT_PAGE, contractTables())],
    [OPENAPI, writtenDocument()],
    ...contractSchemas(),
    ...reportSchemas(),
  ])
}

/** The JSON Schemas of records and envelopes in every contract version. */
function contractSchemas(): readonly (readonly [string, string])[] {
  return [...CONTRACTS.values()].flatMap(contract =>
    Object.entries(publishedSchemas(contract)).map(
      ([name, schema]) => [`schemas/v${contract.version}/${name}.json`, schemaText(schema)] as const,
    ),
  )
}

/** A page written by hand, with the generated block between its markers replaced. */
async function withBlock(root: URL, name: string, block: string): Promise<string> {
  const page = await readFile(new URL(name, root), 'utf8')
  const [start, end] = [page.indexOf(START), page.indexOf(END)]
  if (start === -1 || end < start) throw new Error(`${name} lacks the markers of its generated block`)
  return `${page.slice(0, start)}${START}\n\n${block}\n${page.slice(end)}`
}

/** The program as `--help` shows it at a width of 100 columns. Global options are listed once. */
async function documentedProgram(): Promise<Command> {
  // The context is empty, because printing help runs no command.
  const program = await buildProgram('', {} as Context, { exitCode: 0 })
  for (const command of withSubcommands(program)) command.configureHelp({ helpWidth: 100, showGlobalOptions: false })
  return program
}

function reference(program: Command): string {
  const sections = withSubcommands(program).map(command => {
    return `## ${pathOf(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`
  })
  return `# Commands\n\nWritten by \`npm run docs\` from the program's own help.\n\n${sections.join('\n')}`
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: part => (text += part) }).outputHelp()
  return text.trim()
}

function table(program: Command): string {
  const rows = program.commands.map(command => `| \`${command.name()}\` | ${command.summary()} |`)
  return ['| command | what it does |', '|---|---|', ...rows, ''].join('\n')
}

if (process.argv[1] === import.meta.filename) {
  const root = new URL('../', import.meta.url)
  for (const [name, text] of await generatedDocs(root)) {
    const file = new URL(name, root)
    const same = (await readFile(file, 'utf8').catch(() => '')) === text
    if (same) continue
    if (process.argv.includes('--check')) {
      console.error(`${name} is out of date: run npm run docs`)
      process.exitCode = 1
    } else {
      await mkdir(new URL('.', file), { recursive: true })
      await writeFile(file, text)
    }
  }
}
