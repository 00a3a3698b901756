/** From a command line that commander has parsed to the command's function. */

import type { Command } from 'commander'
import type { Action, Context } from './context.js'
import { flagsOf, originsOf } from './given-flags.js'
import type { TerminalFlags } from './terminal-flags.js'
import { watchOf } from './watch.js'

export type Outcome = { exitCode: number }

/** Makes a command's function what commander calls; commander has checked its flags against the declared options. */
export type Run = <Flags>(action: Action<Flags>) => (...params: unknown[]) => Promise<void>

/** @param outcome where the command that ran leaves its exit code */
export function runner(context: Context, outcome: Outcome): Run {
  return action =>
    async (...params) => {
      const command = params.at(-1) as Command
      outcome.exitCode = await runCommand(action as Action<unknown>, command, context)
    }
}

async function runCommand(action: Action<unknown>, command: Command, context: Context): Promise<number> {
  const flags: TerminalFlags & object = flagsOf(command, context.env)
  const origins = originsOf(command)
  const { report, ci } = context
  report.loudness = flags.quiet === true ? 'quiet' : flags.verbose === true ? 'verbose' : 'normal'
  await ci?.begin(command.name(), flags)
  if (flags.verbose === true) {
    const { tellSettings } = await import('./verbose/tell-settings.js')
    tellSettings({ flags: flags as object, origins, env: context.env }, command, line => report.detail(line))
  }
  const watch = await watchOf(flags, context)
  try {
    return await action(command.args, flags, { ...context, origins, ...(watch !== undefined && { watch }) })
  } finally {
    watch?.stop()
  }
}
