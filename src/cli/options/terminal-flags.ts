/** Flags of the program itself, accepted before or after a command's name: verbosity, progress and config file. */

import type { Option } from 'commander'
import { flag } from './flags.js'

export type TerminalFlags = {
  readonly quiet?: boolean
  readonly verbose?: boolean
  /** False with `--no-progress`. */
  readonly progress?: boolean
}

/** Flags that select the config file and its profile. */
export type ConfigFlags = { readonly config?: string; readonly profile?: string }

export const terminalFlags = (): readonly Option[] => [
  flag('-q, --quiet', 'print only errors and requested data'),
  flag('-v, --verbose', 'also log settings, connections, requests and timings').conflicts('quiet'),
  flag('--no-progress', 'never show progress, not even on a terminal'),
  flag(
    '--config <file>',
    'read flags from this file (default: vortex-ingest.toml or .json, up to the repository root)',
  ),
  flag('--profile <name>', 'profile of the config file to apply'),
]
