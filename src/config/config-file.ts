/** Finds and parses the config file. The flags in it are checked elsewhere. */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { IngestError, messageOf, systemCodeOf } from '../errors.js'
import { ENV_PREFIX } from './environment.js'

const CONFIG_NAMES = ['vortex-ingest.toml', 'vortex-ingest.json'] as const

export type ConfigFile = { readonly path: string; readonly content: Readonly<Record<string, unknown>> }

/**
 * Searches from the working directory up to the root of the git repository. Outside a repository only the working
 * directory is
 * searched, so that somebody else's file in a parent folder is not used by mistake.
 * @param named the path given by the user; an empty string means no config file
 * @throws {IngestError} `config_invalid` when a folder has two config files
 */
export function findConfigFile(named: string | undefined, cwd: string): string | undefined {
  if (named !== undefined) return named === '' ? undefined : named
  for (const folder of foldersFrom(cwd)) {
    const [first, second] = CONFIG_NAMES.map(name => join(folder, name)).filter(path => existsSync(path))
    if (second !== undefined)
      throw new IngestError('config_invalid', `${folder} has a ${CONFIG_NAMES.join(' and a ')}`, { hint: 'keep one' })
    if (first !== undefined) return relative(cwd, first)
  }
  return undefined
}

function foldersFrom(cwd: string): readonly string[] {
  const folders: string[] = []
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    folders.push(folder)
    if (existsSync(join(folder, '.git'))) return folders
    if (folder === dirname(folder)) return folders.slice(0, 1)
  }
}

/** The purpose of a file, and the flag that names it, for messages. */
type Purpose = { readonly what: string; readonly namedBy: string }

const CONFIG: Purpose = { what: 'config file', namedBy: `--config, or ${ENV_PREFIX}CONFIG,` }

/**
 * Reads and parses a config file, or another file in TOML or JSON.
 * @throws {IngestError} `config_invalid` when it is missing, cannot be parsed or is not a table
 */
export async function readConfigFile(path: string, purpose = CONFIG): Promise<ConfigFile> {
  const name = basename(path)
  try {
    // Read asynchronously, because a FIFO blocks until something writes to it, and signals must be handled meanwhile.
    const text = await readFile(path, 'utf8')
    const content: unknown = name.endsWith('.json') ? JSON.parse(text) : (await import('smol-toml')).parse(text)
    if (isSection(content)) return { path, content }
  } catch (cause) {
    throw unreadable(path, cause, purpose)
  }
  throw new IngestError('config_invalid', `${path} holds no names with values`)
}

export function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function unreadable(path: string, cause: unknown, { what, namedBy }: Purpose): IngestError {
  if (systemCodeOf(cause) === 'ENOENT') {
    const hint = `check what ${namedBy} names`
    return new IngestError('config_invalid', `there is no ${what} ${path}`, { cause, hint })
  }
  const { line } = cause as { readonly line?: unknown }
  const where = typeof line === 'number' ? `line ${line}: ` : ''
  return new IngestError('config_invalid', `${path}: ${where}${firstLine(messageOf(cause))}`, { cause })
}

/**
 * The TOML parser's messages quote the lines around a mistake, which may contain secrets, so only the first line is
 * kept.
 */
function firstLine(message: string): string {
  return message.split('\n')[0] ?? ''
}
