/** Errors and warnings as annotations of the run. GitHub shows ten of each per step and silently drops the others. */

import { isAbsolute, relative, resolve } from 'node:path'
import type { Annotator, Level, ProblemPosition, Syntax } from '../annotator.js'
import { tamed, workflowCommand } from './command.js'

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
    const file = source === undefined || source === '-' ? undefined : this.#fileOf(source)
    const title = code === undefined ? 'vortex-ingest' : `vortex-ingest: ${code}`
    return workflowCommand(level, { file, line: line === 0 ? undefined : line, title }, message)
  }

  #fileOf(source: string): string {
    if (this.#workspace === undefined) return source
    const path = relative(this.#workspace, resolve(source))
    return path.startsWith('..') || isAbsolute(path) ? source : path
  }
}
