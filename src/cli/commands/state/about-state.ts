/** Adds `--state`, `--format` and examples to a command that works on a state. */

import type { Command } from 'commander'
import { examples, formatFlag, stateFlag } from '../../options/flags.js'

/** @param lines as for `examples` */
export function aboutState(command: Command, lines: Parameters<typeof examples>[0]): void {
  command.addOption(stateFlag()).addOption(formatFlag()).addHelpText('after', examples(lines))
}
