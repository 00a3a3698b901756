/** What a person reads who has mistyped something: what is wrong, what was meant, where the help is. */

import type { Command } from 'commander'
import type { Output, Report } from './report.js'
import { nearest } from './nearest.js'
import { pathOf } from './program.js'

/** Nothing ends the process by itself, and no message goes anywhere else. */
export function configureUsage(
  command: Command,
  { stdout, stderr }: { readonly stdout: Output; readonly stderr: Output },
  report: Report,
): void {
  command.exitOverride().configureOutput({
    writeOut: text => void stdout.write(text),
    writeErr: text => void stderr.write(text),
    outputError: text => {
      const meant = meantBy(command, text)
      const wrong = text.replace(/^error: /, '').trim()
      report.failure(meant === undefined ? wrong : `${wrong} (Did you mean ${meant}?)`)
      report.hint(`${pathOf(command)} --help shows the usage`)
    },
  })
}

/** `journal helth` is `journal show helth` to commander, which knows no more than that this is too much. */
function meantBy({ args, parent }: Command, text: string): string | undefined {
  if (parent === null || !text.includes('too many arguments')) return undefined
  const siblings = parent.commands.map(one => one.name())
  return parent.parent === null ? undefined : nearest(args[0] ?? '', siblings)
}
