/** Names of a state or a config file, for whoever is typing one: what cannot be read has none, and nothing is written. */

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { findConfigFile, readConfigFile, type ConfigFile } from '../../config/config-file.js'
import { stateConfig, stateVariable } from '../../config/state.js'
import { listBuckets } from '../../state/buckets.js'
import { readRegistry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import { listTrialIds } from '../../state/trial.js'
import { configurable, profilesOf, sectionsOf } from '../config-file/sections.js'
import type { Context } from '../context.js'
import { rootOf, typedNameOf } from '../lineage.js'
import { openState } from '../open-state.js'
import type { ConfigFlags } from '../terminal-flags.js'
import type { NameSort } from './candidates.js'
import type { Line } from './line.js'

const LISTS: Readonly<Record<Exclude<NameSort, 'profile'>, (state: State) => Promise<readonly string[]>>> = {
  target: async ({ storage }) => [...(await readRegistry(storage)).targets.keys()],
  trial: listTrialIds,
  bucket: async state => (await listBuckets(state)).map(({ name }) => name),
}

/** Whoever may write to a state could name something so that a shell runs it: bash puts it on the line as it is. */
const SAFE = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

export type Asked = {
  readonly line: Line
  /** What variables say of the config file. */
  readonly flags: ConfigFlags
  readonly context: Context
}

export async function namesIn(sort: NameSort, asked: Asked): Promise<readonly string[]> {
  const names = sort === 'profile' ? profiles(asked) : namesInState(sort, asked)
  return (await names.catch(() => [])).filter(name => SAFE.test(name))
}

async function profiles(asked: Asked): Promise<readonly string[]> {
  const file = await configFile(asked)
  return file === undefined ? [] : profilesOf(file)
}

async function namesInState(sort: Exclude<NameSort, 'profile'>, asked: Asked): Promise<readonly string[]> {
  const { context } = asked
  const typed = asked.line.given.get('--state')
  const place = typed === undefined ? (stateVariable(context.env) ?? (await stateInFile(asked))) : fromHome(typed)
  const config = stateConfig(place === undefined ? {} : { state: place }, context.env)
  // A folder that is not there would be made.
  if (config === undefined || (config.address.kind === 'local' && !existsSync(config.address.folder))) return []
  const state = await openState(config, context)
  return LISTS[sort](state).finally(() => state.storage.close())
}

async function stateInFile(asked: Asked): Promise<string | undefined> {
  const file = await configFile(asked)
  if (file === undefined) return undefined
  const { command, given } = asked.line
  const profile = given.get('--profile') ?? asked.flags.profile
  const sections = sectionsOf(file, { commands: configurable(rootOf(command)), command: typedNameOf(command), profile })
  const state = sections.map(({ values }) => values.get('state')).find(value => value !== undefined)
  return typeof state === 'string' ? state : undefined
}

async function configFile({ line, flags }: Asked): Promise<ConfigFile | undefined> {
  const named = line.given.get('--config')
  const path = findConfigFile(named === undefined ? flags.config : fromHome(named), process.cwd())
  return path === undefined ? undefined : readConfigFile(path)
}

/** The shell has not read the line yet; it reads no variable and no file like that, and neither does the program. */
function fromHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, () => homedir())
}
