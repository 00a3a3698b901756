/** What was tried on a target, and how fast it was. */

import { createHash } from 'node:crypto'
import { listAll, type Storage } from '../storage/storage.js'
import { encodeDocument, parseDocument } from './document.js'
import type { Fields } from './fields.js'
import { trialKey, TRIALS, trialsPrefix } from './keys.js'
import type { State } from './state.js'

/** How records are written, by name. */
export type WriteSettings = Readonly<Record<string, number>>

/** What several deliveries with the same settings took. */
export type Measurements = {
  readonly deliveries: number
  /** Deliveries that failed; they are in no other figure. */
  readonly errors: number
  /** Of the median. */
  readonly rowsPerSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
}

export type Trial = {
  /** The same for the same settings on the same target: none is tried twice. */
  readonly id: string
  /** RFC 3339: when it was begun. */
  readonly at: string
  /** What state calls the target. */
  readonly target: string
  readonly settings: WriteSettings
  /** What it was compared with, in the same run, in turns. */
  readonly champion: WriteSettings
  readonly sample: { readonly records: number; readonly bytes: number }
  /** Undefined for one that was not seen through. */
  readonly result: TrialResult | undefined
}

export type TrialResult = {
  readonly challenger: Measurements
  readonly champion: Measurements
  /** How many times as fast as the champion, in the median of the pairs; 0 where a side has no figure. */
  readonly ratio: number
  /** Clearly faster, so that later trials are compared with it. */
  readonly won: boolean
}

export function trialId(target: string, settings: WriteSettings): string {
  return createHash('sha256')
    .update(`${target}\n${settingsKey(settings)}`)
    .digest('hex')
    .slice(0, 12)
}

/** The same text for the same settings. */
export function settingsKey(settings: WriteSettings): string {
  const names = Object.keys(settings).sort()
  return names.map(name => `${name}=${settings[name]}`).join(' ')
}

/** Before the first delivery, so that no other process, now or later, tries the same. @returns whether it is new */
export async function claimTrial({ storage }: State, trial: Trial): Promise<boolean> {
  return (await storage.putIfAbsent(trialKey(trial.target, trial.id), encodeDocument(trial))) !== undefined
}

export async function recordTrial({ storage }: State, trial: Trial): Promise<void> {
  await storage.put(trialKey(trial.target, trial.id), encodeDocument(trial))
}

/** As if it had never been begun. */
export async function deleteTrial({ storage }: State, { target, id }: Trial): Promise<void> {
  await storage.delete(trialKey(target, id))
}

/** In the order they were begun in. @throws {IngestError} `state_corrupt`, `state_version` */
export async function readTrials(storage: Storage, target: string): Promise<readonly Trial[]> {
  const keys: string[] = []
  for await (const { key } of listAll(storage, trialsPrefix(target))) keys.push(key)
  const found = await Promise.all(keys.map(async key => ({ key, body: await storage.get(key) })))
  const trials = found.flatMap(({ key, body }) =>
    body === undefined ? [] : [parseDocument(body, { key, parse: parseTrial, storage })],
  )
  return trials.sort((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1))
}

/** Of every target, without reading one. */
export async function listTrialIds({ storage }: State): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const { key } of listAll(storage, TRIALS)) ids.push(key.slice(key.lastIndexOf('/') + 1))
  return ids
}

/** Of any target: the one of that id, else all whose id begins so. @throws {IngestError} `state_corrupt`, `state_version` */
export async function findTrials(storage: Storage, id: string): Promise<readonly Trial[]> {
  const keys: string[] = []
  for await (const { key } of listAll(storage, TRIALS)) keys.push(key)
  const whole = keys.filter(key => key.endsWith(`/${id}`))
  const found = whole.length > 0 ? whole : keys.filter(key => key.slice(key.lastIndexOf('/') + 1).startsWith(id))
  const bodies = await Promise.all(found.map(async key => ({ key, body: await storage.get(key) })))
  return bodies.flatMap(({ key, body }) =>
    body === undefined ? [] : [parseDocument(body, { key, parse: parseTrial, storage })],
  )
}

function sortKey({ at, id }: Trial): string {
  return `${at} ${id}`
}

function parseTrial(fields: Fields): Trial {
  const sample = fields.fields('sample')
  return {
    id: fields.text('id'),
    at: fields.text('at'),
    target: fields.text('target'),
    settings: parseSettings(fields, 'settings'),
    champion: parseSettings(fields, 'champion'),
    sample: { records: sample.count('records'), bytes: sample.count('bytes') },
    result: fields.optional('result', name => parseResult(fields.fields(name))),
  }
}

/** @throws {IngestError} `state_corrupt` when they are no whole numbers */
export function parseSettings(fields: Fields, name: string): WriteSettings {
  return Object.fromEntries(fields.counts(name))
}

function parseResult(fields: Fields): TrialResult {
  return {
    challenger: parseMeasured(fields.fields('challenger')),
    champion: parseMeasured(fields.fields('champion')),
    ratio: fields.number('ratio'),
    won: fields.flag('won'),
  }
}

function parseMeasured(fields: Fields): Measurements {
  return {
    deliveries: fields.count('deliveries'),
    errors: fields.count('errors'),
    rowsPerSecond: fields.number('rowsPerSecond'),
    p50Ms: fields.number('p50Ms'),
    p95Ms: fields.number('p95Ms'),
  }
}
