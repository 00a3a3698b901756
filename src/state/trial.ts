/** Trials: write settings that were measured against the current ones of a target. */

import { createHash } from 'node:crypto'
import { listAll, type Storage } from '../storage/storage.js'
import { encodeDocument, parseDocument } from './document.js'
import type { Fields } from './fields.js'
import { trialKey, TRIALS, trialsPrefix } from './keys.js'
import type { State } from './state.js'

/** Settings for writing records, by name. */
export type WriteSettings = Readonly<Record<string, number>>

/** Durations of several deliveries with the same settings. */
export type Measurements = {
  readonly deliveries: number
  /** Number of failed deliveries; the other figures exclude them. */
  readonly errors: number
  /** Rows per second of the median delivery. */
  readonly rowsPerSecond: number
  /** Median and 95th percentile of the durations, milliseconds. */
  readonly p50Ms: number
  readonly p95Ms: number
}

export type Trial = {
  /** Derived from target and settings, so that no settings are tried twice on a target. */
  readonly id: string
  /** When the trial started, RFC 3339. */
  readonly at: string
  /** The target id. */
  readonly target: string
  readonly settings: WriteSettings
  /** Settings of the champion. Champion and challenger took turns in the same run. */
  readonly champion: WriteSettings
  readonly sample: { readonly records: number; readonly bytes: number }
  /** Undefined when the trial was not finished. */
  readonly result: TrialResult | undefined
}

export type TrialResult = {
  readonly challenger: Measurements
  readonly champion: Measurements
  /** Speed relative to the champion, median over the pairs; 0 when one side has no successful delivery. */
  readonly ratio: number
  /** True when the challenger was clearly faster; later trials are then compared with it. */
  readonly won: boolean
}

export function trialId(target: string, settings: WriteSettings): string {
  return createHash('sha256')
    .update(`${target}\n${settingsKey(settings)}`)
    .digest('hex')
    .slice(0, 12)
}

/** A canonical text of settings: equal settings have equal text. */
export function settingsKey(settings: WriteSettings): string {
  const names = Object.keys(settings).sort()
  return names.map(name => `${name}=${settings[name]}`).join(' ')
}

/**
 * Claims a trial before its first delivery, so that no other process tries the same settings.
 * @returns false when the trial exists already
 */
export async function claimTrial({ storage }: State, trial: Trial): Promise<boolean> {
  return (await storage.putIfAbsent(trialKey(trial.target, trial.id), encodeDocument(trial))) !== undefined
}

/** Stores a trial with its result. */
export async function recordTrial({ storage }: State, trial: Trial): Promise<void> {
  await storage.put(trialKey(trial.target, trial.id), encodeDocument(trial))
}

/** Deletes a trial, so that its settings can be tried again. */
export async function deleteTrial({ storage }: State, { target, id }: Trial): Promise<void> {
  await storage.delete(trialKey(target, id))
}

/** Trials of a target in the order they started. @throws {IngestError} `state_corrupt`, `state_version` */
export async function readTrials(storage: Storage, target: string): Promise<readonly Trial[]> {
  const keys: string[] = []
  for await (const { key } of listAll(storage, trialsPrefix(target))) keys.push(key)
  const found = await Promise.all(keys.map(async key => ({ key, body: await storage.get(key) })))
  const trials = found.flatMap(({ key, body }) =>
    body === undefined ? [] : [parseDocument(body, { key, parse: parseTrial, storage })],
  )
  return trials.sort((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1))
}

/** Trial ids of all targets, from the keys alone. */
export async function listTrialIds({ storage }: State): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const { key } of listAll(storage, TRIALS)) ids.push(key.slice(key.lastIndexOf('/') + 1))
  return ids
}

/**
 * Trials of any target: the one with this id, otherwise all whose id begins with it.
 * @throws {IngestError} `state_corrupt`, `state_version`
 */
export async function findTrials(storage: Storage, id: string): Promise<readonly Trial[]> {
  const keys: string[] = []
  for await (const { key } of listAll(storage, TRIALS)) keys.push(key)
  const exact = keys.filter(key => key.endsWith(`/${id}`))
  const found = exact.length > 0 ? exact : keys.filter(key => key.slice(key.lastIndexOf('/') + 1).startsWith(id))
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

/** @throws {IngestError} `state_corrupt` when a setting is not an integer */
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
