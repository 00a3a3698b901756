/** Errors and warnings as annotations of the run. GitHub shows ten of each per step and silently drops the others. */

import { isAbsolute, relative, resolve } from 'node:path'
import { visibleText } from '../../../visible-text.js'
import type { Annotator, Level, ProblemPosition, Syntax } from '../annotator.js'

const SHOWN = 10

type Annotation = { readonly place: ProblemPosition | undefined; message: string }

/** Collects annotations until the end. If there are more than ten, the tenth states the number of the others. */
export class Annotations implements Annotator {
  readonly #workspace: string | undefined
  readonly #general = { error: [] as Annotation[], warning: [] as Annotation[] }
  readonly #placed = { error: [] as Annotation[], warning: [] as Annotation[] }
  readonly #seen = { error: 0, warning: 0 }
  #last: Annotation | undefined

  /** @param workspace the folder that GitHub's file names are relative to */
  constructor(workspace: string | undefined) {
    this.#workspace = workspace
  }

  tamed(text: string, syntax: Syntax): string {
    return tamed(text, syntax)
  }

  add(level: Level, message: string, place?: ProblemPosition): void {
    this.#seen[level]++
    const list = (place === undefined ? this.#general : this.#placed)[level]
    this.#last = { place, message }
    if (list.length < SHOWN) list.push(this.#last)
  }

  hint(message: string): void {
    if (this.#last !== undefined) this.#last.message += `\nhint: ${message}`
  }

  more(level: Level, count: number): void {
    this.#seen[level] += count
  }

  /** Workflow commands for all annotations: errors, then warnings. In each, those without a position in an input come first. */
  commands(): readonly string[] {
    return (['error', 'warning'] as const).flatMap(level => this.#commandsOf(level))
  }

  #commandsOf(level: Level): readonly string[] {
    const all = [...this.#general[level], ...this.#placed[level]]
    const shown = this.#seen[level] > SHOWN ? all.slice(0, SHOWN - 1) : all
    const rest = this.#seen[level] - shown.length
    const more = workflowCommand(level, { title: 'vortex-ingest' }, `and ${rest} more ${level}s; the log has them`)
    return [...shown.map(one => this.#command(level, one)), ...(rest === 0 ? [] : [more])]
  }

  #command(level: Level, { place, message }: Annotation): string {
    const { source, line, code } = place ?? {}
    const file = source === undefined || source === '-' ? undefined : visibleText(this.#fileOf(source))
    const title = code === undefined ? 'vortex-ingest' : `vortex-ingest: ${code}`
    return workflowCommand(level, { file, line: line === 0 ? undefined : line, title }, message)
  }

  #fileOf(source: string): string {
    if (this.#workspace === undefined) return source
    const path = relative(this.#workspace, resolve(source))
    return path.startsWith('..') || isAbsolute(path) ? source : path
  }
}

type Properties = Readonly<Record<string, string | number | undefined>>

/**
 * Formats a command as `::name key=value,key=value::message`. Its parts are escaped, so that they can neither end the
 * command nor start another. Undefined properties are omitted.
 */
export function workflowCommand(name: string, properties: Properties, message: string): string {
  const pairs = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${escapeProperty(String(value))}`],
  )
  return `::${name}${pairs.length === 0 ? '' : ` ${pairs.join(',')}`}::${escapeData(message)}`
}

const BRACKET: Readonly<Record<Syntax, string>> = { text: '\u200b[', json: '\\u005b', xml: '&#91;' }

/**
 * Escapes workflow commands in untrusted text, such as names in records. The runner executes `::name::` at the start of a
 * line and `##[name]` anywhere. The escaped text has the same meaning in JSON and XML.
 */
export function tamed(text: string, syntax: Syntax): string {
  const inline = text.replaceAll('##[', `##${BRACKET[syntax]}`)
  return syntax === 'text' ? inline.replace(/^(\s*:)(?=:)/gm, '$1\u200b') : inline
}

function escapeData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C')
}
