/** Every command with its flags and help; what a command does is in the file of its name. */

import { Command } from 'commander'
import { MAX_BODY_BYTES } from '../config/serve.js'
import { addCompare } from './compare-command.js'
import type { Action, Context } from './context.js'
import { doctor } from './doctor.js'
import { examples } from './examples.js'
import type { DrainFlags } from './drain.js'
import {
  archiveFlag,
  byteCount,
  commitFlags,
  commitShaFlag,
  duration,
  explainFlag,
  flag,
  flagsOf,
  formatFlag,
  noSecretsFlag,
  originsOf,
  outcomeFlags,
  positive,
  regionFlag,
  reportFlag,
  requireFlag,
  rolePolicyFlag,
  serverFlag,
  serverFlags,
  stateFlag,
  targetFlags,
  targetNameFlag,
  timeoutFlag,
  validateFormatFlag,
  writeSettingFlags,
} from './flags.js'
import { goldenCheck } from './golden-check.js'
import { id } from './id.js'
import { migrate } from './migrate.js'
import { push } from './push.js'
import { withReportFile } from './report-file.js'
import { addRegistry } from './registry/commands.js'
import { serve } from './serve.js'
import { addState } from './state/commands.js'
import { addTuning } from './tuning/commands.js'
import type { StatusFlags } from './status.js'
import { validate } from './validate.js'
import { verify } from './verify.js'

/** A command's function may have any flags: commander has checked them against the options declared here. */
type AnyAction = (args: readonly string[], flags: never, context: Context) => Promise<number>

export type Outcome = { exitCode: number }

const EXIT_CODES = `
Exit codes:
  0 done   1 internal error   2 usage   3 delivered with rejections
  4 mismatch (golden-check, verify) or regression (compare)   65 bad data   66 no input   69 target down
  75 kept for later, run again   77 auth   78 config or schema version
  130 interrupted   143 terminated

Every flag can be set by an environment variable: --commit-sha by VORTEX_INGEST_COMMIT_SHA.`

/** @param outcome where the command that ran leaves its exit code */
export function buildProgram(version: string, context: Context, outcome: Outcome): Command {
  const program = new Command('vortex-ingest')
    .description('Gets benchmark records from CI into a database: checked, identified, exactly once.')
    .version(version, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_CODES)
  const run =
    (action: AnyAction) =>
    async (...params: unknown[]) => {
      const command = params.at(-1) as Command
      const flags = flagsOf(command, context.env)
      await context.ci?.begin(command.name(), flags)
      outcome.exitCode = await (action as Action<unknown>)(command.args, flags, {
        ...context,
        origins: originsOf(command),
      })
    }
  addPush(program, run)
  addValidate(program, run)
  addVerify(program, run)
  addCompare(program, run)
  addId(program, run)
  addGoldenCheck(program, run)
  addMigrate(program, run)
  addServe(program, run)
  addDoctor(program, run)
  addState(program, run)
  addDrain(program, run)
  addRecover(program, run)
  addStatus(program, run)
  addRegistry(program, run)
  addTuning(program, run)
  return program
}

/** A command and all below it, each before its own. */
export function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

/** What one types to run a command: `vortex-ingest state ls`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

type Run = (action: AnyAction) => (...params: unknown[]) => Promise<void>

function addPush(program: Command, run: Run): void {
  const command = program
    .command('push')
    .summary('check records and deliver them')
    .description(
      'Checks every line of every input, then delivers file by file: all of a file or nothing. Without a target the ' +
        'records go to an embedded database in .vortex-ingest; in CI a target must be named.',
    )
    .argument('[files...]', 'files, globs, or - for standard input; plain, gzip or zstd')
    .action(run(withReportFile(push)))
  for (const option of [
    ...serverFlags(),
    ...targetFlags(),
    rolePolicyFlag(),
    ...writeSettingFlags(),
    ...outcomeFlags(),
    ...commitFlags(),
  ])
    command.addOption(option)
  command
    .addOption(stateFlag())
    .addOption(archiveFlag())
    .addOption(targetNameFlag())
    .addOption(flag('--full-refresh', 'with --state: take the inputs from their start and deliver all of it again'))
    .addOption(flag('--dry-run', 'do everything but connect and write'))
    .addOption(explainFlag())
    .addOption(noSecretsFlag())
    .addOption(formatFlag())
    .addOption(reportFlag())
    .addHelpText(
      'after',
      examples([
        ['push results.jsonl', 'into the embedded database'],
        ['push results.jsonl --postgres postgres://bench_ingest@db.example.com/bench', 'into Postgres'],
        [
          'push results.jsonl --server https://ingest.example.com --benchmark-id nightly',
          'to an ingest service; --postgres beside it for both',
        ],
        ["push 'out/*.jsonl.gz' --dry-run", 'check only'],
        [
          'push results.jsonl --state ~/bench-state --postgres DSN',
          'only what is new; what a dead target misses is kept',
        ],
        ['run-benchmarks | vortex-ingest push - --commit commit.json', 'from a pipe, without git'],
      ]),
    )
}

function addValidate(program: Command, run: Run): void {
  program
    .command('validate')
    .summary('check records and send nothing')
    .description('Reports every line that a push would reject. Needs no network, no token and no git.')
    .argument('[files...]', 'files, globs, or - for standard input; plain, gzip or zstd')
    .addOption(commitShaFlag())
    .addOption(flag('--max-rejections <n>', 'stop after this many').argParser(positive))
    .addOption(validateFormatFlag())
    .addOption(reportFlag())
    .addHelpText(
      'after',
      examples([
        ['validate results.jsonl', ''],
        ["validate 'out/*.jsonl' --max-rejections 10", ''],
        ['validate results.jsonl --format sarif > results.sarif', 'for code scanning; --format junit for test reports'],
      ]),
    )
    .action(run(withReportFile(validate)))
}

function addVerify(program: Command, run: Run): void {
  const command = program
    .command('verify')
    .summary('compare a file with what the database holds')
    .description('Reads the rows back by id and compares every column. A difference ends in exit code 4.')
    .argument('<files...>', 'files, globs, or - for standard input')
    .action(run(withReportFile(verify)))
  for (const option of [serverFlag(), timeoutFlag(), ...targetFlags(), commitShaFlag()]) command.addOption(option)
  command
    .addOption(flag('--extra', "also report rows of the file's commit that no line names"))
    .addOption(formatFlag())
    .addOption(reportFlag())
    .addHelpText(
      'after',
      examples([
        ['verify results.jsonl', ''],
        ['verify results.jsonl --postgres DSN --extra', ''],
        ['verify results.jsonl --server http://127.0.0.1:8080', 'a vortex-ingest serve'],
      ]),
    )
}

function addId(program: Command, run: Run): void {
  program
    .command('id')
    .summary('print the measurement_id of every record')
    .description('One id a line in input order; a rejected line prints an empty line, and its reason on stderr.')
    .argument('[files...]', 'files, globs, or - for standard input; plain, gzip or zstd')
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['id results.jsonl', ''],
        ['id - --format json < results.jsonl', ''],
      ]),
    )
    .action(run(id))
}

function addGoldenCheck(program: Command, run: Run): void {
  program
    .command('golden-check')
    .summary('check both id implementations against the golden vectors')
    .description(
      'Two implementations of the measurement_id, every golden vector, and every place that states the version.',
    )
    .addOption(flag('--vectors <file>', "also check somebody else's vectors, in the published format"))
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['golden-check', ''],
        ['golden-check --vectors theirs.json', ''],
      ]),
    )
    .action(run(goldenCheck))
}

function addMigrate(program: Command, run: Run): void {
  const command = program
    .command('migrate')
    .summary('bring a database up to date')
    .description(
      "Applies the migrations that the database's ledger does not name yet. Safe to run again, and twice at once.",
    )
    .argument('[dsn]', 'a Postgres database, as --postgres names one; by default the embedded one')
    .hook('preAction', takeDsn)
    .action(run(migrate))
  for (const option of targetFlags()) command.addOption(option)
  command.addOption(flag('--check', 'change nothing: report where the database differs, with exit code 78'))
  command.addOption(formatFlag()).addHelpText(
    'after',
    examples([
      ['migrate postgres://owner@db.example.com/bench', ''],
      ['migrate --check --postgres DSN', 'is it as it should be?'],
      ['migrate', 'the embedded database'],
    ]),
  )
}

function addServe(program: Command, run: Run): void {
  program
    .command('serve')
    .summary('take envelopes over HTTP')
    .description(
      'An ingest server: POST /api/ingest takes what path A sends, read routes show what is stored. Writers send the ' +
        'token of INGEST_BEARER_TOKEN. It prints where it listens, logs a line of JSON a request on stderr, and on ' +
        'SIGTERM or Ctrl-C finishes what is under way.',
    )
    .addOption(
      flag('--listen <address>', 'PORT, HOST:PORT or [::1]:PORT; port 0 takes a free one').default('127.0.0.1:0'),
    )
    .addOption(
      flag('--store <dir|dsn>', 'where envelopes go: a folder (embedded) or a Postgres').default('.vortex-ingest'),
    )
    .addOption(
      flag('--max-body <size>', 'largest body taken, also unpacked')
        .argParser(byteCount)
        .default(MAX_BODY_BYTES, '64MiB'),
    )
    .addOption(flag('--token-file <file>', 'read the token from this file in place of INGEST_BEARER_TOKEN'))
    .addOption(flag('--insecure-no-auth', 'take envelopes from anybody: only on a loopback address, to try things out'))
    .addOption(flag('--insecure-local', 'no TLS and any role: only for a Postgres on this machine, to try things out'))
    .addOption(regionFlag())
    .addOption(rolePolicyFlag())
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['serve --insecure-no-auth', 'into .vortex-ingest, on a free port of this machine'],
        ['serve --listen 0.0.0.0:8080 --store postgres://bench_ingest@db.example.com/bench', ''],
      ]),
    )
    .action(run(serve))
}

function addDoctor(program: Command, run: Run): void {
  const command = program
    .command('doctor')
    .summary('say what a push would meet')
    .description(
      'Looks at everything that a push with the same flags and environment depends on, and writes nothing: settings and ' +
        'where they come from, proxy, names, certificates, token or login, role and grants, tables, clocks, disk. The page ' +
        'holds no secret. Exit code 0, else 77 (auth), 78 (configuration, certificate, role, tables) or 69 (target down).',
    )
    .action((...params: unknown[]) => run(doctor(originsOf(params.at(-1) as Command)))(...params))
  const places = [stateFlag(), archiveFlag()]
  for (const option of [...serverFlags(), ...targetFlags(), rolePolicyFlag(), ...places, formatFlag()])
    command.addOption(option)
  command.addHelpText(
    'after',
    examples([
      ['doctor', 'the embedded database'],
      ['doctor --postgres postgres://bench_ingest@db.example.com/bench', ''],
      ['doctor --server https://ingest.example.com --format json', ''],
    ]),
  )
}

/** Loaded when they run: pushes without state need none of it. */
const drain: Action<DrainFlags> = async (...params) => (await import('./drain.js')).drain(...params)
const recover: Action<DrainFlags> = async (...params) => (await import('./drain.js')).recover(...params)
const status: Action<StatusFlags> = async (...params) => (await import('./status.js')).status(...params)

function addDrain(program: Command, run: Run): void {
  const command = program
    .command('drain')
    .summary('deliver what a state kept')
    .description(
      'Gives each target that is named everything in the outbox of the state that it does not have yet, commit by ' +
        'commit. What cannot be delivered stays there, and so does what is beyond the limits (exit code 75).',
    )
    .action(run(drain))
  for (const option of [
    stateFlag(),
    archiveFlag(),
    targetNameFlag(),
    ...serverFlags(),
    ...targetFlags(),
    rolePolicyFlag(),
    ...writeSettingFlags(),
    requireFlag(),
    explainFlag(),
  ])
    command.addOption(option)
  command
    .addOption(flag('--max-rows <n>', 'stop after about this many records a target').argParser(positive))
    .addOption(flag('--max-duration <seconds>', 'begin nothing new after this').argParser(duration))
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['drain --state s3://bench/state --postgres postgres://bench_ingest@db.example.com/bench', ''],
        ['drain --state ~/bench-state --server https://ingest.example.com --max-duration 300', ''],
      ]),
    )
}

function addRecover(program: Command, run: Run): void {
  const command = program
    .command('recover')
    .summary('see through deliveries that were cut off')
    .description(
      'A delivery that was begun by a process that is gone is done again, exactly its lines, and written down in the ' +
        'audit. Every push and drain does the same for its targets before anything else.',
    )
    .action(run(recover))
  for (const option of [
    stateFlag(),
    archiveFlag(),
    targetNameFlag(),
    ...serverFlags(),
    ...targetFlags(),
    rolePolicyFlag(),
  ])
    command.addOption(option)
  command
    .addOption(flag('--dry-run', 'only say what would be done'))
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['recover --state ~/bench-state --dry-run', ''],
        ['recover --state ~/bench-state --postgres DSN', ''],
      ]),
    )
}

function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .summary('show what a state holds and who lacks what')
    .description(
      'Targets with what they lack, open deliveries and the last audit rows. Changes nothing. What is damaged or of a ' +
        'newer version is named, the rest is shown all the same (exit code 78).',
    )
    .addOption(stateFlag())
    .addOption(formatFlag())
    .addHelpText('after', examples([['status --state s3://bench/state', '']]))
    .action(run(status))
}

/** `migrate DSN` is short for `migrate --postgres DSN`. */
function takeDsn(command: Command): void {
  const [dsn] = command.args
  if (dsn === undefined) return
  if (command.getOptionValueSource('postgres') === 'cli') command.error('error: the database is named twice')
  command.setOptionValueWithSource('postgres', dsn, 'cli')
}
