/** The list of all commands. The flags and implementation of each command are in the files named after it. */

import { Command } from 'commander'
import { addChanges } from './commands/changes/command.js'
import { addCompare } from './commands/compare/command.js'
import { addCompletion } from './commands/completion/command.js'
import type { Context } from './context.js'
import { addConvert } from './commands/convert/command.js'
import { addCopy } from './commands/copy/command.js'
import { addDoctor } from './commands/doctor/command.js'
import { addDrain, addRecover } from './commands/drain/command.js'
import { examples, addOptions, terminalFlags } from './options/flags.js'
import { addExport } from './commands/export/command.js'
import { addGoldenCheck } from './commands/golden-check/command.js'
import { addId } from './commands/id/command.js'
import { addMigrate } from './commands/migrate/command.js'
import { addPush } from './commands/push/command.js'
import { addBuckets } from './commands/buckets/command.js'
import { addJournal } from './commands/journal/command.js'
import { addTargets } from './commands/targets/command.js'
import { runner, type Outcome, type Run } from './run.js'
import { addNotify } from './commands/notify/command.js'
import { addServe } from './commands/serve/command.js'
import { addState } from './commands/state/command.js'
import { addStatus } from './commands/status/command.js'
import { addPromote, addPromotions, addRollback, addTune } from './commands/tune/command.js'
import { addValidate } from './commands/validate/command.js'
import { addVerify } from './commands/verify/command.js'

/** @param all builds the program with every command, for commands that need to know the others */
type Add = (program: Command, run: Run, all: () => Command) => void

/** All commands by name, in the order of the help. */
const COMMANDS: ReadonlyMap<string, Add> = new Map([
  ['push', addPush],
  ['validate', addValidate],
  ['verify', addVerify],
  ['compare', addCompare],
  ['changes', addChanges],
  ['notify', addNotify],
  ['convert', addConvert],
  ['export', addExport],
  ['copy', addCopy],
  ['id', addId],
  ['golden-check', addGoldenCheck],
  ['migrate', addMigrate],
  ['serve', addServe],
  ['doctor', addDoctor],
  ['state', addState],
  ['drain', addDrain],
  ['recover', addRecover],
  ['status', addStatus],
  ['targets', addTargets],
  ['buckets', addBuckets],
  ['journal', addJournal],
  ['tune', addTune],
  ['promote', addPromote],
  ['rollback', addRollback],
  ['promotions', addPromotions],
  ['completion', addCompletion],
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
  4 mismatch (golden-check, verify, copy)   5 regression (compare and changes --fail-on)
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
export function buildProgram(version: string, context: Context, outcome: Outcome, only?: string): Command {
  const program = new Command('vortex-ingest')
    .description('Validates benchmark records and delivers them to a database, exactly once.')
    .version(version, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', examples(EXAMPLES) + EXIT_CODES)
  addOptions(program, terminalFlags())
  const asked = COMMANDS.get(only ?? '')
  const all = (): Command => buildProgram(version, context, outcome)
  for (const add of asked === undefined ? COMMANDS.values() : [asked]) add(program, runner(context, outcome, all), all)
  return program
}
