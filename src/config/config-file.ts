/** The file that flags may come from: where it is found and what is in it, before anybody knows which flags there are. */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { IngestError, messageOf, systemCodeOf } from '../errors.js'
import { ENV_PREFIX } from './environment.js'

const CONFIG_NAMES = ['vortex-ingest.toml', 'vortex-ingest.json'] as const

export type ConfigFile = { readonly path: string; readonly content: Readonly<Record<string, unknown>> }

/**
 * From the working directory upwards to the root of the repository; outside of one only in the working directory, so
 * that nobody's file in a folder above is taken for one's own.
 * @param named what a person names in its place; empty means no file at all
 * @throws {IngestError} `config_invalid` where there are two
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

/** @throws {IngestError} `config_invalid` */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const name = basename(path)
  try {
    // Not in sync: where it is a FIFO, signals must be heard while nobody writes.
    const text = await readFile(path, 'utf8')
    const content: unknown = name.endsWith('.json') ? JSON.parse(text) : (await import('smol-toml')).parse(text)
    if (isSection(content)) return { path, content }
  } catch (cause) {
    throw unreadable(path, cause)
  }
  throw new IngestError('config_invalid', `${path} holds no names with values`)
}

export function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function unreadable(path: string, cause: unknown): IngestError {
  if (systemCodeOf(cause) === 'ENOENT') {
    const hint = `check what --config, or ${ENV_PREFIX}CONFIG, names`
    return new IngestError('config_invalid', `there is no config file ${path}`, { cause, hint })
  }
  const { line } = cause as { readonly line?: unknown }
  const where = typeof line === 'number' ? `line ${line}: ` : ''
  return new IngestError('config_invalid', `${path}: ${where}${firstLine(messageOf(cause))}`, { cause })
}

/** The TOML parser quotes the lines around a mistake, and with them what may be a secret. */
function firstLine(message: string): string {
  return message.split('\n')[0] ?? ''
}
