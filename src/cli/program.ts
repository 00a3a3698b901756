/** The list of all commands. The flags and implementation of each command are in the files named after it. */

import { Command } from 'commander'
import type { AllCommands, Context } from './context.js'
import { examples, addOptions, terminalFlags } from './options/flags.js'
import { addPush } from './commands/push/command.js'
import { runner, type Outcome, type Run } from './run.js'

/** @param all builds the program with every command, for commands that need to know the others */
type Add = (program: Command, run: Run, all: AllCommands) => void

/**
 * All commands by name, in the order of the help, with what loads the definition of each. `push` is loaded with this module, because
 * it must start fast.
 */
const COMMANDS: ReadonlyMap<string, () => Promise<Add>> = new Map<string, () => Promise<Add>>([
  ['push', async () => addPush],
  ['validate', async () => (await import('./commands/validate/command.js')).addValidate],
  ['verify', async () => (await import('./commands/verify/command.js')).addVerify],
  ['compare', async () => (await import('./commands/compare/command.js')).addCompare],
  ['changes', async () => (await import('./commands/changes/command.js')).addChanges],
  ['notify', async () => (await import('./commands/notify/command.js')).addNotify],
  ['lineage', async () => (await import('./commands/lineage/command.js')).addLineage],
  ['convert', async () => (await import('./commands/convert/command.js')).addConvert],
  ['export', async () => (await import('./commands/export/command.js')).addExport],
  ['pii', async () => (await import('./commands/pii/command.js')).addPii],
  ['id', async () => (await import('./commands/id/command.js')).addId],
  ['golden-check', async () => (await import('./commands/golden-check/command.js')).addGoldenCheck],
  ['migrate', async () => (await import('./commands/migrate/command.js')).addMigrate],
  ['serve', async () => (await import('./commands/serve/command.js')).addServe],
  ['doctor', async () => (await import('./commands/doctor/command.js')).addDoctor],
  ['state', async () => (await import('./commands/state/command.js')).addState],
  ['drain', async () => (await import('./commands/drain/command.js')).addDrain],
  ['recover', async () => (await import('./commands/drain/command.js')).addRecover],
  ['status', async () => (await import('./commands/status/command.js')).addStatus],
  ['targets', async () => (await import('./commands/targets/command.js')).addTargets],
  ['buckets', async () => (await import('./commands/buckets/command.js')).addBuckets],
  ['journal', async () => (await import('./commands/journal/command.js')).addJournal],
  ['tune', async () => (await import('./commands/tune/command.js')).addTune],
  ['promote', async () => (await import('./commands/tune/command.js')).addPromote],
  ['rollback', async () => (await import('./commands/tune/command.js')).addRollback],
  ['promotions', async () => (await import('./commands/tune/command.js')).addPromotions],
  ['completion', async () => (await import('./commands/completion/command.js')).addCompletion],
])

const EXAMPLES = [
  ['push results.jsonl', 'into an embedded database in this folder'],
  ['push results.jsonl --server https://ingest.example.com --benchmark-id nightly', 'to an ingest service'],
  ['serve --listen 8080 --insecure-no-auth', 'show stored records at http://localhost:8080'],
  ['push --help', 'what a command takes, with examples'],
] as const

export const EXIT_CODES = `
Exit codes:
  0 done   1 internal error   2 usage   3 delivered with rejections
  4 mismatch (golden-check, verify) or findings (pii scan)
  5 regression (compare and changes --fail-on)
  6 nothing comparable or inconclusive (compare --fail-on)   65 bad data   66 no input
  69 target unreachable   75 records remain queued, run again   77 not authorised
  78 configuration or schema version
  130 interrupted   143 terminated

An environment variable can set each flag that lists one, such as VORTEX_INGEST_COMMIT_SHA for --commit-sha.`

/**
 * Builds the program with its commands.
 * @param outcome receives the exit code of the command that runs
 * @param only defines only this command, because defining all commands takes longer than running some of them
 */
export async function buildProgram(
  version: string,
  context: Context,
  outcome: Outcome,
  only?: string,
): Promise<Command> {
  const program = new Command('vortex-ingest')
    .description('Validates benchmark records and delivers them to a database, exactly once.')
    .version(version, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', examples(EXAMPLES) + EXIT_CODES)
  addOptions(program, terminalFlags())
  const asked = COMMANDS.get(only ?? '')
  const all = (): Promise<Command> => buildProgram(version, context, outcome)
  const definitions = await Promise.all([...(asked === undefined ? COMMANDS.values() : [asked])].map(load => load()))
  for (const add of definitions) add(program, runner(context, outcome, all), all)
  return program
}
