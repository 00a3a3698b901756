/** From a command line that commander has parsed to the command's function. */

import type { Command } from 'commander'
import type { Action, Context } from './context.js'
import { flagsOf, originsOf } from './flags.js'

export type Outcome = { exitCode: number }

/** Makes a command's function what commander calls; commander has checked its flags against the declared options. */
export type Run = <Flags>(action: Action<Flags>) => (...params: unknown[]) => Promise<void>

/** @param outcome where the command that ran leaves its exit code */
export function runner(context: Context, outcome: Outcome): Run {
  return action =>
    async (...params) => {
      const command = params.at(-1) as Command
      const flags = flagsOf(command, context.env)
      await context.ci?.begin(command.name(), flags)
      outcome.exitCode = await (action as Action<unknown>)(command.args, flags, {
        ...context,
        origins: originsOf(command),
      })
    }
}
