/** The command line as a function: arguments and streams in, exit code out. */

import { CommanderError } from 'commander'
import type { Environment } from '../commit/ci.js'
import { ENV_PREFIX, wantsColor } from '../config/environment.js'
import { EXIT, IngestError } from '../errors.js'
import type { Context } from './context.js'
import { errorDocument, exitCodeOf } from './error-report.js'
import { withoutEmptyVariables } from './empty-variables.js'
import { openCi } from './open-ci.js'
import { packageVersion } from '../package-file.js'
import { buildProgram, withSubcommands } from './program.js'
import { Report } from './report.js'
import type { Outcome } from './run.js'
import { withHelpAsked } from './help-asked.js'
import { withPresets } from './presets.js'
import { configureUsage } from './usage-errors.js'

/** What of `process` the program uses. */
export type World = Pick<NodeJS.Process, 'argv' | 'env' | 'stdin' | 'stdout' | 'stderr' | 'on' | 'off'>

/** Runs one command line; never throws. */
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
    // Some consoles say 0 where they do not know.
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
    const error = interruption.signal.aborted ? interruptionError(thrown, interruption.signal.reason) : thrown
    const exitCode = fail(error, context, argv)
    await ci?.finish(exitCode, error)
    return exitCode
  } finally {
    interruption.done()
  }
}

/** The reason of the signal, or the error that a command made of that reason to say what it had done by then. */
function interruptionError(thrown: unknown, reason: unknown): unknown {
  return thrown instanceof IngestError && thrown.cause === reason ? thrown : reason
}

async function run(argv: readonly string[], context: Context, { stdout, stderr }: World): Promise<number> {
  const version = packageVersion()
  const outcome: Outcome = { exitCode: EXIT.done }
  const program = buildProgram(version, context, outcome, argv[2])
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
    // The help of a group, which is on stderr, in place of one of its commands.
    const usage = new IngestError('usage', 'no command is named', { hint: '--help lists them' })
    if (asksForJson(argv, context.env)) context.report.json(errorDocument(usage))
    return EXIT.usage
  }
  return outcome.exitCode
}

/** With `--format json` a failure is a JSON document too, so that whoever reads stdout is never left with nothing. */
function fail(error: unknown, { env, report }: Context, argv: readonly string[]): number {
  if ((report.isJson || asksForJson(argv, env)) && !report.printed) report.json(errorDocument(error))
  report.error(error)
  return exitCodeOf(error)
}

/** Asked where the command line could not be parsed, too. */
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

/** A process that was asked to stop has this long: opening a FIFO, for one, waits for a writer and hears nothing. */
const STOP_TIMEOUT_MS = 3_000

/** The first signal asks the command to stop and clean up; the next one finds the system's own handler. */
function onSignals(world: World, report: Report): Interruption {
  const controller = new AbortController()
  let answered = false
  let timeoutMs = STOP_TIMEOUT_MS
  const stop = (signal: NodeJS.Signals, reason: IngestError) => (): void => {
    controller.abort(reason)
    release()
    // Whoever waits for more of it must not wait on.
    world.stdin.destroy()
    const giveUp = (): void => {
      if (!answered) report.error(reason)
      // Not exit(), which waits for what cannot be interrupted.
      process.kill(process.pid, signal)
    }
    setTimeout(giveUp, timeoutMs).unref()
  }
  const interrupt = stop('SIGINT', new IngestError('interrupted', 'interrupted: what was not finished is undone'))
  const terminate = stop('SIGTERM', new IngestError('terminated', 'terminated: what was not finished is undone'))
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

/** What Node has without saying so in its types. */
type Pipe = { readonly _handle?: { setBlocking?(blocking: boolean): void } }

/** Who reads our output may be slow or gone (`… | head`), and a disk may be full. */
function watchOutput({ stdout, stderr }: World, report: Report): void {
  // What a pipe does not take at once Node queues without bound: all of a long report, behind a slow reader.
  for (const stream of [stdout, stderr]) (stream as Pipe)._handle?.setBlocking?.(true)
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // No failure of the command: it goes on, and its exit code says what it would have said.
    if (error.code === 'EPIPE') return report.closeResult()
    report.failure(`cannot write the result: ${error.message}`)
    process.exit(EXIT.internal)
  })
  // With nowhere to say it, the exit code still does.
  stderr.on('error', () => undefined)
}
