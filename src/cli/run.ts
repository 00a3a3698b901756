/** Runs a command's function for a command line that commander has parsed. */

import type { Command } from 'commander'
import { findConfigFile } from '../config/config-file.js'
import { IngestError } from '../errors.js'
import type { Syntax } from './output/annotator.js'
import type { Action, AllCommands, Context } from './context.js'
import { ENV_PREFIX } from '../config/environment.js'
import { givenFlags, findOrigins, lineage } from './options/given-flags.js'
import type { ConfigFlags, TerminalFlags } from './options/flags.js'
import type { TargetFlags } from '../targets/kinds.js'
import { watchCommand } from './output/watch.js'

export type Outcome = { exitCode: number }

/** Turns a command's function into an action of commander. commander has checked the flags against the declared options. */
export type Run = <Flags>(action: Action<Flags>) => (...params: unknown[]) => Promise<void>

/**
 * @param outcome receives the exit code of the command
 * @param all builds the program with every command, because a config file may set flags of any command
 */
export function runner(context: Context, outcome: Outcome, all: AllCommands): Run {
  return action =>
    async (...params) => {
      const command = params.at(-1) as Command
      outcome.exitCode = await runCommand(action as Action<unknown>, command, { context, all })
    }
}

const SYNTAX: Readonly<Record<string, Syntax>> = { json: 'json', sarif: 'json', junit: 'xml' }

type Running = { readonly context: Context; readonly all: AllCommands }

async function runCommand(action: Action<unknown>, command: Command, { context, all }: Running): Promise<number> {
  // `completion` uses no settings from the config file, and must work even if the file is invalid.
  if (command.name() !== 'completion') await applyConfig(command, { context, all })
  const flags = withRunnerDebug(givenFlags(command, context.env), context)
  const origins = findOrigins(command)
  const { report, ci } = context
  report.loudness = flags.quiet === true ? 'quiet' : flags.verbose === true ? 'verbose' : 'normal'
  report.isJson = flags.format === 'json'
  report.syntax = SYNTAX[flags.format ?? ''] ?? 'text'
  await ci?.begin(command.name(), flags)
  await warnOfUnknownVariables(command, flags, { context, all })
  if (flags.verbose === true) {
    const { logSettings } = await import('./output/verbose-log.js')
    await logSettings({ flags, origins, env: context.env }, command, line => report.detail(line))
  }
  const watch = await watchCommand(flags, context)
  try {
    return await action(command.args, flags, { ...context, origins, ...(watch !== undefined && { watch }) })
  } finally {
    watch?.stop()
  }
}

/** Warns of variables that set nothing. Not for `completion`, which shells run at every start. */
async function warnOfUnknownVariables(command: Command, flags: object, { context, all }: Running): Promise<void> {
  const { env, report } = context
  const known = [...lineage(command), ...command.commands].flatMap(({ options }) => options.map(({ envVar }) => envVar))
  const isKnown = (name: string): boolean => known.includes(name) || !name.startsWith(ENV_PREFIX)
  if (command.name() === 'completion' || Object.keys(env).every(isKnown)) return
  const { unknownVariables } = await import('./options/unknown-variables.js')
  for (const message of await unknownVariables(env, Object.values(flags), all)) report.warning(message)
}

type CommonFlags = TargetFlags & TerminalFlags & { readonly format?: string }

/** Turns on `--verbose` in a run of GitHub Actions with debug logging, unless the output was chosen with `-q` or `-v`. */
function withRunnerDebug(flags: CommonFlags, { env }: Context): CommonFlags {
  const isDebug = env['GITHUB_ACTIONS'] === 'true' && env['RUNNER_DEBUG'] === '1'
  return isDebug && flags.quiet !== true ? { verbose: true, ...flags } : flags
}

/**
 * Applies the config file, whose reader is loaded only if there is a file.
 * @throws {IngestError} `config_invalid`, `usage`
 */
async function applyConfig(command: Command, { context: { report }, all }: Running): Promise<void> {
  const { config, profile } = command.optsWithGlobals<ConfigFlags>()
  const path = findConfigFile(config, process.cwd())
  if (path !== undefined) {
    const { applyConfigFile } = await import('./options/config-file/apply.js')
    return applyConfigFile(command, { path, profile, report, all })
  }
  if (profile !== undefined) throw new IngestError('usage', `there is no config file with a profile ${profile}`)
}

/** Loads a command's function when the command runs, so that starting the program does not load every command. */
export function lazy<Flags>(load: () => Promise<Action<Flags>>): Action<Flags> {
  return async (...params) => (await load())(...params)
}
