/** How much any command says: flags of the program itself, to be given before or after a command's name. */

import type { Option } from 'commander'
import { flag } from './flags.js'

export type TerminalFlags = {
  readonly quiet?: boolean
  readonly verbose?: boolean
  /** False after `--no-progress`. */
  readonly progress?: boolean
}

export const terminalFlags = (): readonly Option[] => [
  flag('-q, --quiet', 'print only errors, and what is asked for as data'),
  flag('-v, --verbose', 'also print what is done: settings, connections, requests, timings').conflicts('quiet'),
  flag('--no-progress', 'show no progress of long work, not even on a terminal'),
]
