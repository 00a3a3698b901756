/** The command line as a function of arguments and streams that returns an exit code. */

import { CommanderError } from 'commander'
import type { Environment } from '../commit/ci.js'
import { ENV_PREFIX, wantsColor } from '../config/environment.js'
import { abortError, exitCodeOf, EXIT, IngestError, unexpectedError } from '../errors.js'
import type { Context } from './context.js'
import { errorDocument } from './output/error-report.js'
import { withoutEmptyVariables, withPresets } from './options/given-flags.js'
import { openCi } from './options/open-ci.js'
import { packageVersion } from '../package-file.js'
import { withSubcommands } from './options/command-tree.js'
import { buildProgram } from './program.js'
import { Report } from './output/report.js'
import type { Outcome } from './run.js'
import { withHelpAsked, configureUsage } from './options/usage-errors.js'
import type { ErrorReport } from '../reports/records.js'

/** The members of `process` that the program uses. */
export type World = Pick<NodeJS.Process, 'argv' | 'env' | 'stdin' | 'stdout' | 'stderr' | 'on' | 'off'>

/** Runs one command line and returns its exit code. Never throws. */
export async function main(world: World): Promise<number> {
  const { argv, env, stdin, stdout, stderr } = world
  const colors = { colorOut: wantsColor(stdout, env), colorErr: wantsColor(stderr, env) }
  const opened = await openCi(env, stderr)
  const report = new Report({ stdout, stderr, ...colors, annotator: opened?.annotations })
  const ci = opened?.stepOf(report)
  const interruption = onSignals(world, report)
  const context: Context = {
    stdin,
    env,
    report,
    // Some consoles report 0 if they do not know their width.
    columns: stdout.columns || undefined,
    screen: stderr,
    signal: interruption.signal,
    stopWithin: interruption.stopWithin,
    now: () => new Date(),
    random: Math.random,
    origins: new Map(),
    ...(ci && { ci }),
  }
  watchOutput(world, report)
  try {
    const exitCode = await run(argv, context, world)
    await ci?.finish(exitCode, undefined)
    return exitCode
  } catch (thrown) {
    const error = interruption.signal.aborted ? abortError(thrown, interruption.signal) : unexpectedError(thrown)
    const exitCode = fail(error, context, argv)
    await ci?.finish(exitCode, error)
    return exitCode
  } finally {
    interruption.done()
  }
}

async function run(argv: readonly string[], context: Context, { stdout, stderr }: World): Promise<number> {
  const version = packageVersion()
  const outcome: Outcome = { exitCode: EXIT.done }
  const program = await buildProgram(version, context, outcome, argv[2])
  const commands = withSubcommands(program)
  withoutEmptyVariables(commands, context.env)
  for (const command of commands) configureUsage(command, { stdout, stderr })
  if (argv.length <= 2) {
    program.outputHelp()
    return EXIT.usage
  }
  try {
    await program.parseAsync(withPresets(withHelpAsked(argv, program), commands))
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return EXIT.done
    // commander printed the help of a command group on stderr, because no command of the group was given.
    const usage = new IngestError('usage', 'missing command', { hint: 'run `vortex-ingest --help`' })
    if (asksForJson(argv, context.env)) context.report.json<ErrorReport>(errorDocument(usage))
    return EXIT.usage
  }
  return outcome.exitCode
}

/** Reports an error and returns its exit code. With `--format json` stdout receives it as a JSON document too. */
function fail(error: unknown, { env, report }: Context, argv: readonly string[]): number {
  if ((report.isJson || asksForJson(argv, env)) && !report.printed) report.json<ErrorReport>(errorDocument(error))
  report.error(error)
  return exitCodeOf(error)
}

/** Whether JSON output was requested. Reads the raw arguments, because the command line may have failed to parse. */
function asksForJson(argv: readonly string[], env: Environment): boolean {
  const at = argv.lastIndexOf('--format')
  const format = at === -1 ? argv.findLast(arg => arg.startsWith('--format='))?.slice('--format='.length) : argv[at + 1]
  return (format ?? env[`${ENV_PREFIX}FORMAT`]) === 'json'
}

type Interruption = {
  readonly signal: AbortSignal
  readonly stopWithin: Context['stopWithin']
  readonly done: () => void
}

/** Default time that a command has to stop after a signal. Some calls cannot be aborted, such as opening a FIFO without a writer. */
const STOP_TIMEOUT_MS = 3_000

/** Aborts the command on the first signal, so that it can clean up. A second signal ends the process at once. */
function onSignals(world: World, report: Report): Interruption {
  const controller = new AbortController()
  let answered = false
  let timeoutMs = STOP_TIMEOUT_MS
  const stop = (signal: NodeJS.Signals, reason: IngestError) => (): void => {
    controller.abort(reason)
    release()
    // Wakes up a pending read of standard input.
    world.stdin.destroy()
    const giveUp = (): void => {
      if (!answered) report.error(reason)
      // Not exit(), which would wait for calls that cannot be interrupted.
      process.kill(process.pid, signal)
    }
    setTimeout(giveUp, timeoutMs).unref()
  }
  const interrupt = stop('SIGINT', new IngestError('interrupted', 'interrupted: unfinished work was undone'))
  const terminate = stop('SIGTERM', new IngestError('terminated', 'terminated: unfinished work was undone'))
  const release = (): void => {
    world.off('SIGINT', interrupt)
    world.off('SIGTERM', terminate)
  }
  world.on('SIGINT', interrupt)
  world.on('SIGTERM', terminate)
  const done = (): void => {
    answered = true
    release()
  }
  return { signal: controller.signal, stopWithin: allowedMs => void (timeoutMs = allowedMs), done }
}

/** A member of Node's streams that is missing from its types. */
type Pipe = { readonly _handle?: { setBlocking?(blocking: boolean): void } }

/** Handles output that cannot be written, because its reader is slow or gone (`… | head`) or a disk is full. */
function watchOutput({ stdout, stderr }: World, report: Report): void {
  // Writes to pipes block, because Node would otherwise buffer a whole long report in memory for a slow reader.
  for (const stream of [stdout, stderr]) (stream as Pipe)._handle?.setBlocking?.(true)
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A closed pipe is no failure: the command continues and its exit code is unaffected.
    if (error.code === 'EPIPE') return report.closeResult()
    report.failure(`cannot write the result: ${error.message}`)
    process.exit(EXIT.internal)
  })
  // A failing stderr cannot be reported anywhere. The exit code still reports the result.
  stderr.on('error', () => undefined)
}
