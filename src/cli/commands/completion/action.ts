/** `completion`: prints the completion script of a shell, or with `--query` the candidates for a command line. */

import type { Command } from 'commander'
import { EXIT, IngestError } from '../../../errors.js'
import type { Action, AllCommands } from '../../context.js'
import { nearest } from '../../../nearest.js'
import type { ConfigFlags } from '../../options/flags.js'
import { candidates } from '../../completion/candidates.js'
import { namesIn } from '../../completion/names.js'
import { SCRIPTS } from '../../completion/scripts.js'

export type CompletionFlags = { readonly query?: boolean }

/**
 * @param program the running program, with its parsed global flags
 * @param all builds the program with every command
 */
export const completion =
  (program: Command, all: AllCommands): Action<CompletionFlags> =>
  async (words, { query = false }, context) => {
    const { report } = context
    if (!query) {
      report.raw(scriptFor(words))
      return EXIT.done
    }
    const flags = program.opts<ConfigFlags>()
    const found = await candidates(await all(), words, (sort, line) => namesIn(sort, { line, flags, context }))
    for (const { value, what = '' } of found) report.finding(`${value}\t${what}`)
    return EXIT.done
  }

/** @throws {IngestError} `usage` */
function scriptFor([shell, ...others]: readonly string[]): string {
  const shells = [...SCRIPTS.keys()]
  const script = others.length === 0 && shell !== undefined ? SCRIPTS.get(shell) : undefined
  if (script !== undefined) return script
  if (shell === undefined) throw new IngestError('usage', 'missing shell', { hint: `name one of ${shells.join(', ')}` })
  const close = nearest(shell, shells)
  const hint = close === undefined ? `name one of ${shells.join(', ')}` : `did you mean ${close}?`
  throw new IngestError('usage', `there is no completion for ${shell}`, { hint })
}
