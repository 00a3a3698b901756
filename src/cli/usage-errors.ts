/** What a person reads who has mistyped something: what is wrong, what was meant, where the help is. */

import type { Command } from 'commander'
import type { Output, Report } from './report.js'
import { lineageOf } from './lineage.js'
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

/** `help pusch` as `pusch`, whose mistake is told; to commander it asks for all of the help. */
export function withoutHelpOfNothing(argv: readonly string[], program: Command): readonly string[] {
  const [node = '', script = '', first, name, ...others] = argv
  const isCommand = [...program.commands.map(one => one.name()), 'help', undefined].includes(name)
  return first === 'help' && !isCommand && name?.startsWith('-') !== true ? [node, script, name!, ...others] : argv
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
