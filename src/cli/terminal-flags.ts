/** Flags of the program itself, to be given before or after a command's name: how much it says, and its config file. */

import type { Option } from 'commander'
import { flag } from './flags.js'

export type TerminalFlags = {
  readonly quiet?: boolean
  readonly verbose?: boolean
  /** False after `--no-progress`. */
  readonly progress?: boolean
}

/** Where other flags come from. */
export type ConfigFlags = { readonly config?: string; readonly profile?: string }

export const terminalFlags = (): readonly Option[] => [
  flag('-q, --quiet', 'print only errors, and what is asked for as data'),
  flag('-v, --verbose', 'also print what is done: settings, connections, requests, timings').conflicts('quiet'),
  flag('--no-progress', 'show no progress of long work, not even on a terminal'),
  flag(
    '--config <file>',
    'take flags from this file (default: vortex-ingest.toml or .json, up to the repository root)',
  ),
  flag('--profile <name>', 'a profile of the config file'),
]
