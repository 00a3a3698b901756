/** Formats results as Markdown, which is readable both in a terminal and in the README. */

import { readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { format, resolveConfig } from 'prettier'
import { peakRssMb, spread, wallTimes, type Sample, type Spread } from './measure.js'

export type Series = {
  readonly name: string
  readonly samples: readonly Sample[]
  /** The amount of work of one run, from which a rate is computed. */
  readonly amount?: { readonly count: number; readonly unit: string }
}

/** The result of comparing a figure with its target. `reached` is undefined when the figure was not measured. */
export type Verdict = {
  readonly what: string
  readonly seen: string
  readonly mustReach: string
  readonly reached: boolean | undefined
}

export type Result = {
  /** Explanations for the table, and the commands to rerun the benchmark by hand. */
  readonly notes: readonly string[]
  readonly series: readonly Series[]
  readonly verdicts: readonly Verdict[]
}

export function atLeast(what: string, seen: Spread, target: number): Verdict {
  return judge({ what, seen, show: ratio, mustReach: `≥ ${target}`, reached: seen.median >= target })
}

export function atMost(what: string, seen: Spread, target: number, show: (value: number) => string = ratio): Verdict {
  return judge({ what, seen, show, mustReach: `≤ ${show(target)}`, reached: seen.median <= target })
}

type Judged = Omit<Verdict, 'seen'> & { readonly seen: Spread; readonly show: (value: number) => string }

function judge({ seen, show, reached, ...verdict }: Judged): Verdict {
  return { ...verdict, seen: withRange(seen, show), reached: Number.isNaN(seen.median) ? undefined : reached }
}

export function rssBelow(what: string, samples: readonly Sample[], limitMb: number): Verdict {
  const peakMb = peakRssMb(samples)
  return { what: `peak RSS, ${what}`, seen: megabytes(peakMb), mustReach: `< ${limitMb} MB`, reached: peakMb < limitMb }
}

export function render({ notes, series, verdicts }: Result): string {
  const measured = [
    ['what', 'median (min–max)', 'rate', 'CPU', 'peak RSS'],
    ...series.map(({ name, samples, amount }) => [
      name,
      withRange(spread(wallTimes(samples)), seconds),
      amount === undefined || samples.length === 0
        ? ''
        : `${count((amount.count / spread(wallTimes(samples)).median) * 1000)} ${amount.unit}/s`,
      samples[0]?.cpuMs === undefined ? '' : seconds(spread(samples.map(({ cpuMs = NaN }) => cpuMs)).median),
      samples[0]?.rssMb === undefined ? '' : megabytes(peakRssMb(samples)),
    ]),
  ]
  const judged = [
    ['target', 'seen', 'must reach', 'reached'],
    ...verdicts.map(({ what, seen, mustReach, reached }) => [
      what,
      seen,
      mustReach,
      reached === undefined ? '' : reached ? 'yes' : 'no',
    ]),
  ]
  return `${[notes.map(note => `- ${note}`).join('\n'), ...(series.length > 0 ? [table(measured)] : []), table(judged)].join('\n\n')}\n`
}

/** Date, machine and Node version, without which a figure has no meaning. */
export function machine(): string {
  const [{ model } = { model: 'unknown processor' }] = cpus()
  const gibibytes = Math.round(totalmem() / 2 ** 30)
  const date = new Date().toISOString().slice(0, 10)
  return `${date}, ${cpus().length} cores (${model.trim()}), ${gibibytes} GiB, ${process.platform}, Node ${process.versions.node}`
}

const README = new URL('README.md', import.meta.url)

/** Replaces the text between a benchmark's markers in the README. The figures of other benchmarks stay. */
export async function writeToReadme(name: string, text: string): Promise<void> {
  const readme = await readFile(README, 'utf8')
  const [start, end] = [`<!-- ${name}: written by the benchmark -->`, `<!-- end of ${name} -->`]
  const [from, to] = [readme.indexOf(start), readme.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`bench/README.md has no markers for ${name}`)
  const changed = `${readme.slice(0, from)}${start}\n\n${text}\n${readme.slice(to)}`
  await writeFile(README, await format(changed, { ...(await resolveConfig(README)), parser: 'markdown' }))
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 3 : 1)} s`
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function megabytes(value: number): string {
  return `${Math.round(value)} MB`
}

function ratio(value: number): string {
  return value.toFixed(2)
}

function withRange({ median, min, max }: Spread, show: (value: number) => string): string {
  if (Number.isNaN(median)) return 'not measured'
  return `${show(median)} (${show(min)}–${show(max)})`
}

function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  const columns = head.map((_, column) => column).filter(column => body.some(row => row[column] !== ''))
  const widths = columns.map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const line = (row: readonly string[], fill = ' '): string =>
    `| ${columns.map((column, at) => (row[column] ?? '').padEnd(widths[at] ?? 0, fill)).join(' | ')} |`
  return [line(head), line([], '-'), ...body.map(row => line(row))].join('\n')
}
