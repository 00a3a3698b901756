/** Input files of the benchmarks, generated once and cached in bench/.cache. */

import { execFile, spawn } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Commit } from '../src/contract/commit.js'
import { generateLines } from './generate.js'

const CACHE = fileURLToPath(new URL('.cache/', import.meta.url))
/** Optional generator beside the checkout. When it is missing, `generateLines` is used. */
const SHARED_GENERATOR = fileURLToPath(new URL('../../shared/fixtures/gen-records.mjs', import.meta.url))

export const COMMIT: Commit = {
  sha: '0123456789abcdef0123456789abcdef01234567',
  timestamp: '2026-01-31T12:00:00+00:00',
  message: 'Benchmark me',
  author_name: 'Ada Example',
  author_email: 'ada@example.com',
  committer_name: 'Ada Example',
  committer_email: 'ada@example.com',
  tree_sha: 'fedcba9876543210fedcba9876543210fedcba98',
  url: 'https://github.com/example/benchmarks/commit/0123456789abcdef0123456789abcdef01234567',
}

/** A file of `count` records with distinct ids. */
export async function recordsFile(count: number, sha = COMMIT.sha): Promise<string> {
  const suffix = sha === COMMIT.sha ? '' : `-${sha.slice(0, 7)}`
  return cached(`${count}${suffix}.jsonl`, async path => {
    if (await exists(SHARED_GENERATOR)) return runSharedGenerator(path, [String(count), '1', sha])
    const lines = generateLines(count, sha)
    await pipeline(Readable.from(withLineFeeds(lines)), createWriteStream(path))
  })
}

/** The same records with every value increased by one, so that a push must update every row. */
export async function changedRecordsFile(count: number): Promise<string> {
  const original = await recordsFile(count)
  return cached(`${count}-changed.jsonl`, async path => {
    const lines = createInterface({ input: createReadStream(original) })
    await pipeline(lines, addOneToValues, createWriteStream(path))
  })
}

/**
 * One file per writer. Half of the records of each file are common to all writers.
 * @param folder where the files are written
 */
export async function sharedParts(writers: number, each: number, folder: string): Promise<readonly string[]> {
  const half = each / 2
  const lines = (await readFile(await recordsFile(half * (writers + 1)), 'utf8')).trimEnd().split('\n')
  const paths = Array.from({ length: writers }, (_, writer) => join(folder, `shared-${each}-${writer}.jsonl`))
  for (const [writer, path] of paths.entries()) {
    const own = lines.slice(half * (writer + 1), half * (writer + 2))
    await writeFile(path, `${[...lines.slice(0, half), ...own].join('\n')}\n`)
  }
  return paths
}

export async function commitFile(): Promise<string> {
  return cached('commit.json', path => writeFile(path, JSON.stringify(COMMIT)))
}

/** Creates a repository with one commit. @returns the commit's SHA, which is always the same */
export async function makeRepository(folder: string): Promise<string> {
  const who = { GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.com', GIT_AUTHOR_DATE: COMMIT.timestamp }
  const committer = {
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    GIT_COMMITTER_DATE: COMMIT.timestamp,
  }
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    ...who,
    ...committer,
  }
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', ['-C', folder, ...args], { env })).stdout.trim()
  await mkdir(folder, { recursive: true })
  await git('init', '--quiet', '--initial-branch=main')
  await git('remote', 'add', 'origin', 'https://github.com/example/benchmarks.git')
  await git('commit', '--quiet', '--allow-empty', '--message', 'Benchmark me')
  return git('rev-parse', 'HEAD')
}

/** The path of a cached file. A missing file is written under a temporary name first, so that a partial file is never used. */
async function cached(name: string, make: (path: string) => Promise<unknown>): Promise<string> {
  const path = join(CACHE, name)
  if (await exists(path)) return path
  await mkdir(CACHE, { recursive: true })
  const unfinished = `${path}.${process.pid}`
  await make(unfinished)
  await rename(unfinished, path)
  return path
}

async function runSharedGenerator(path: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [SHARED_GENERATOR, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  await pipeline(child.stdout, createWriteStream(path))
  if (child.exitCode !== null && child.exitCode !== 0)
    throw new Error(`${SHARED_GENERATOR} ended with ${child.exitCode}`)
}

function* withLineFeeds(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`
}

async function* addOneToValues(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines)
    yield `${line.replace(/("value_(?:ns|bytes)":)(\d+)/, (_, key: string, value: string) => `${key}${BigInt(value) + 1n}`)}\n`
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
