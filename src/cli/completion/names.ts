/** Looks up names in a state or a config file, for completion. A source that cannot be read has no names. Nothing is written. */

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { findConfigFile, readConfigFile, type ConfigFile } from '../../config/config-file.js'
import { stateConfig, stateVariable } from '../../config/state.js'
import { listBuckets } from '../../state/buckets.js'
import { readRegistry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import { listTrialIds } from '../../state/trial.js'
import { configurable, listProfiles, applicableSections } from '../options/config-file/sections.js'
import type { Context } from '../context.js'
import { findRoot, typedName } from '../options/given-flags.js'
import { openConfiguredState } from '../options/open-state.js'
import type { ConfigFlags } from '../options/flags.js'
import type { NameKind } from './candidates.js'
import type { TypedLine } from './line.js'

const LISTS: Readonly<Record<Exclude<NameKind, 'profile'>, (state: State) => Promise<readonly string[]>>> = {
  target: async ({ storage }) => [...(await readRegistry(storage)).targets.keys()],
  trial: listTrialIds,
  bucket: async state => (await listBuckets(state)).map(({ name }) => name),
}

/**
 * Names that are safe to complete. Bash inserts candidates without quoting, so another user of the state could choose a
 * name that runs a command.
 */
const SAFE = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

export type CompletionQuery = {
  readonly line: TypedLine
  /** Config file and profile from environment variables. */
  readonly flags: ConfigFlags
  readonly context: Context
}

export async function namesIn(kind: NameKind, query: CompletionQuery): Promise<readonly string[]> {
  const names = kind === 'profile' ? profiles(query) : namesInState(kind, query)
  return (await names.catch(() => [])).filter(name => SAFE.test(name))
}

async function profiles(query: CompletionQuery): Promise<readonly string[]> {
  const file = await configFile(query)
  return file === undefined ? [] : listProfiles(file)
}

async function namesInState(kind: Exclude<NameKind, 'profile'>, query: CompletionQuery): Promise<readonly string[]> {
  const { context } = query
  const typed = query.line.given.get('--state')
  const address = typed === undefined ? (stateVariable(context.env) ?? (await stateInFile(query))) : fromHome(typed)
  const config = stateConfig(address === undefined ? {} : { state: address }, context.env)
  // Opening a state would create its folder, and completion must not write.
  if (config === undefined || (config.address.kind === 'local' && !existsSync(config.address.folder))) return []
  const state = await openConfiguredState(config, context)
  return LISTS[kind](state).finally(() => state.storage.close())
}

async function stateInFile(query: CompletionQuery): Promise<string | undefined> {
  const file = await configFile(query)
  if (file === undefined) return undefined
  const { command, given } = query.line
  const profile = given.get('--profile') ?? query.flags.profile
  const sections = applicableSections(file, {
    commands: configurable(findRoot(command)),
    command: typedName(command),
    profile,
  })
  const state = sections.map(({ values }) => values.get('state')).find(value => value !== undefined)
  return typeof state === 'string' ? state : undefined
}

async function configFile({ line, flags }: CompletionQuery): Promise<ConfigFile | undefined> {
  const named = line.given.get('--config')
  const path = findConfigFile(named === undefined ? flags.config : fromHome(named), process.cwd())
  return path === undefined ? undefined : readConfigFile(path)
}

/** Expands `~`, as the shell will when the line runs. Not for paths from variables or files, in which nothing expands `~`. */
function fromHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, () => homedir())
}
