/** Reads a commit from a JSON file (`--commit FILE.json`), for producers without a repository. */

import { readFile } from 'node:fs/promises'
import { COMMIT_FIELDS, type Commit, isFullSha } from '../contract/commit.js'
import { pointerTo, quote } from '../contract/problem.js'
import { isTimestamp, TIMESTAMP_RULE } from '../contract/timestamp.js'
import { IngestError, messageOf, systemCodeOf } from '../errors.js'

type JsonObject = Readonly<Record<string, unknown>>

const ENVELOPE_FIELDS: readonly string[] = ['run_meta', 'commit', 'records']
const FIELDS: readonly string[] = COMMIT_FIELDS
const SHOWN_PROBLEMS = 3
const HINT = `a commit file is {${FIELDS.map(field => `"${field}": "…"`).join(', ')}}, or that under "commit"`

/**
 * Reads the commit from a JSON file that contains its nine fields, or an envelope with these fields under `commit`.
 * @throws {IngestError} `config_invalid` when the file cannot be read, lacks a field or has unknown fields
 * @see contract section 2
 */
export async function readCommitFile(path: string): Promise<Commit> {
  const value = parse(path, await read(path))
  const wrapped = Object.hasOwn(value, 'commit')
  const commit = wrapped ? value.commit : value
  if (!isObject(commit)) throw invalid(path, `/commit must be an object, got ${typeName(commit)}`)
  const problems = [
    ...(wrapped ? unknownFields(value, ENVELOPE_FIELDS, '') : []),
    ...commitProblems(commit, wrapped ? '/commit' : ''),
  ]
  if (problems.length > 0) throw invalid(path, listed(problems))
  return Object.fromEntries(COMMIT_FIELDS.map(field => [field, commit[field]])) as Commit
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new IngestError('config_invalid', `cannot read the commit file ${path}: ${readFailureReason(cause)}`, {
      cause,
      hint: 'name a JSON file, or leave out --commit to read the commit from git',
    })
  }
}

function readFailureReason(cause: unknown): string {
  const code = systemCodeOf(cause)
  if (code === 'ENOENT') return 'no such file'
  if (code === 'EISDIR') return 'it is a directory'
  if (code === 'EACCES') return 'permission denied'
  return messageOf(cause)
}

function parse(path: string, bytes: Uint8Array): JsonObject {
  const value = parseJson(path, bytes)
  if (!isObject(value)) throw invalid(path, `must be a JSON object, got ${typeName(value)}`)
  return value
}

function parseJson(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    // V8's message quotes the text around the error, including line ends.
    const reason = cause instanceof SyntaxError ? messageOf(cause).replace(/\s+/g, ' ') : 'not UTF-8'
    throw invalid(path, `is not JSON: ${reason}`, cause)
  }
}

function commitProblems(commit: JsonObject, prefix: string): string[] {
  const wrong = COMMIT_FIELDS.flatMap(field => fieldProblem(field, commit[field]) ?? [])
  return [...unknownFields(commit, FIELDS, prefix), ...wrong.map(problem => `${prefix}/${problem}`)]
}

function unknownFields(value: JsonObject, known: readonly string[], prefix: string): string[] {
  const unknown = Object.keys(value).filter(name => !known.includes(name))
  return unknown.map(name => `${quote(prefix + pointerTo(name))} is not a known field`)
}

function fieldProblem(field: keyof Commit, value: unknown): string | undefined {
  if (value === undefined) return `${field} is missing`
  if (typeof value !== 'string') return `${field} must be a string, got ${typeName(value)}`
  // Neither can be stored, because Postgres text excludes NUL and UTF-8 excludes lone surrogates.
  if (value.includes('\0') || !value.isWellFormed()) return `${field} must not contain a NUL or a lone surrogate`
  if (field === 'sha' && !isFullSha(value)) return `sha must be 40 lowercase hex digits, got ${quote(value)}`
  if (field === 'timestamp' && !isTimestamp(value)) return `timestamp ${TIMESTAMP_RULE}, got ${quote(value)}`
  return undefined
}

function listed(problems: readonly string[]): string {
  const rest = problems.length - SHOWN_PROBLEMS
  return problems.slice(0, SHOWN_PROBLEMS).join('; ') + (rest > 0 ? `; and ${rest} more` : '')
}

function invalid(path: string, problem: string, cause?: unknown): IngestError {
  return new IngestError('config_invalid', `commit file ${path}: ${problem}`, { cause, hint: HINT })
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
