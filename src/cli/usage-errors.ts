/** What a person reads who has mistyped something: what is wrong, what was meant, where the help is. */

import type { Command } from 'commander'
import { IngestError } from '../errors.js'
import { lineageOf } from './lineage.js'
import { nearest } from './nearest.js'
import { pathOf } from './program.js'
import { oneLine, type Output } from './report.js'

/** Nothing ends the process by itself, and no message goes anywhere else: a mistake is thrown, as `usage`. */
export function configureUsage(
  command: Command,
  { stdout, stderr }: { readonly stdout: Output; readonly stderr: Output },
): void {
  command.exitOverride().configureOutput({
    writeOut: text => void stdout.write(text),
    writeErr: text => void stderr.write(text),
    outputError: text => {
      const meant = meantBy(command, text)
      // commander asks whether something near was meant in a line of its own.
      const wrong = oneLine(text.replace(/^error: /, ''))
      const message = meant === undefined ? wrong : `${wrong} (Did you mean ${meant}?)`
      throw new IngestError('usage', message, { hint: `${pathOf(command)} --help shows the usage` })
    },
  })
}

/** What of a mistake commander has no name for. */
function meantBy(command: Command, text: string): string | undefined {
  return siblingMeant(command, text) ?? flagMeant(command, text)
}

/** `--formt=json` is one word to commander, which is near to no flag. */
function flagMeant(command: Command, text: string): string | undefined {
  const [, flag] = /unknown option '(--[^'=]+)=/.exec(text) ?? []
  const known = lineageOf(command).flatMap(({ options }) => options.map(({ long }) => long ?? ''))
  return flag === undefined ? undefined : nearest(flag, known)
}

/** `journal helth` is `journal show helth` to commander, which knows no more than that this is too much. */
function siblingMeant({ args, parent }: Command, text: string): string | undefined {
  if (parent === null || !text.includes('too many arguments')) return undefined
  const siblings = parent.commands.map(one => one.name())
  return parent.parent === null ? undefined : nearest(args[0] ?? '', siblings)
}
