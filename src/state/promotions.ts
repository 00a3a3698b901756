/** Which settings a target is written to with, and which ones before that: one object a target, changed as a whole. */

import { IngestError } from '../errors.js'
import type { Storage } from '../storage/storage.js'
import { audit } from './audit.js'
import { retryOnConflict } from './retry-on-conflict.js'
import { readDocument, writeDocument } from './document.js'
import type { Fields } from './fields.js'
import { promotionsKey } from './keys.js'
import type { RegisteredTarget } from './registry.js'
import { timestamp, type State } from './state.js'
import { findTrials, parseSettings, type Trial, type WriteSettings } from './trial.js'
import { newId } from './ulid.js'

export type Promotion = {
  readonly id: string
  /** RFC 3339. */
  readonly at: string
  readonly by: string
  readonly note: string | undefined
  readonly trial: string
  readonly settings: WriteSettings
  /** Undefined while it was not. */
  readonly rolledBack: { readonly at: string; readonly by: string } | undefined
}

export const MAX_PROMOTIONS = 50

/** The newest first, at most `MAX_PROMOTIONS`. @throws {IngestError} `state_corrupt`, `state_version` */
export async function readPromotions(storage: Storage, target: string): Promise<readonly Promotion[]> {
  return (await readDocument(storage, promotionsKey(target), parsePromotions))?.value ?? []
}

/** The one in force; undefined: the defaults are. */
export function activePromotion(promotions: readonly Promotion[]): Promotion | undefined {
  return promotions.find(({ rolledBack }) => rolledBack === undefined)
}

/** Who changes it, and why. */
export type Change = { readonly by: string; readonly note?: string | undefined }

/** `changed` is false where it was so already. */
export type Promoted = { readonly promotion: Promotion; readonly changed: boolean }

/**
 * Makes a trial's settings those of its target. It is durable when this returns; done again it changes nothing.
 * @throws {IngestError} `not_found` for an unknown trial, another target's, and one without figures; `usage` where it
 * may be any of several
 */
export async function promote(
  state: State,
  target: RegisteredTarget,
  { trial: trialId, by, note }: Change & { readonly trial: string },
): Promise<Promoted> {
  const trial = await findTrial(state, target, trialId)
  const { settings } = trial
  const id = newId(state.tools.now())
  const promotion = { id, at: timestamp(state), by, note, trial: trial.id, settings, rolledBack: undefined }
  return changePromotions<Promoted>(state, target, async before => {
    const active = activePromotion(before)
    if (active?.trial === trial.id) return { answer: { promotion: active, changed: false }, after: before }
    await auditChange(state, target, { id, event: 'promoted', detail: `trial ${trial.id} by ${by}` })
    const after = [promotion, ...before].slice(0, MAX_PROMOTIONS)
    return { answer: { promotion, changed: true }, after }
  })
}

/** What was active, and what is now; undefined: the defaults. */
export type RolledBack = { readonly from: Promotion; readonly to: Promotion | undefined }

/** @throws {IngestError} `not_found` when the defaults apply already */
export async function rollback(state: State, target: RegisteredTarget, { by }: Change): Promise<RolledBack> {
  const id = newId(state.tools.now())
  return changePromotions(state, target, async before => {
    const from = activePromotion(before)
    if (from === undefined) throw nothingToRollBack(target)
    await auditChange(state, target, { id, event: 'rolled-back', detail: `what was active before applies, by ${by}` })
    const rolledBack = { at: timestamp(state), by }
    const after = before.map(one => (one === from ? { ...one, rolledBack } : one))
    return { answer: { from: { ...from, rolledBack }, to: activePromotion(after) }, after }
  })
}

type PromotionsChange<T> = { readonly answer: T; readonly after: readonly Promotion[] }

function changePromotions<T>(
  state: State,
  { identity, name }: RegisteredTarget,
  change: (before: readonly Promotion[]) => Promise<PromotionsChange<T>>,
): Promise<T> {
  const { storage } = state
  const key = promotionsKey(identity)
  return retryOnConflict(state, async () => {
    const found = await readDocument(storage, key, parsePromotions)
    const before = found?.value ?? []
    const { answer, after } = await change(before)
    const fields = { target: identity, name, promotions: after }
    if (after !== before) await writeDocument(storage, key, { fields, over: found?.stored })
    return answer
  })
}

type Audited = { readonly id: string; readonly event: string; readonly detail: string }

/** Told before it is done: rather a row too many than a change that nobody finds. */
async function auditChange(state: State, { identity }: RegisteredTarget, row: Audited): Promise<void> {
  await audit(state, { ...row, target: identity, partition: '', since: 0, until: 0 })
}

/** @param id or how it begins, where only one of the target's trials begins so */
async function findTrial({ storage }: State, { identity, name }: RegisteredTarget, id: string): Promise<Trial> {
  const found = id === '' ? [] : await findTrials(storage, id)
  const own = found.filter(({ target }) => target === identity)
  const hint = `vortex-ingest promotions --target ${name} shows its trials`
  if (own.length > 1) {
    const ids = own.map(one => one.id).sort()
    throw new IngestError('usage', `${id} may be any of the trials ${ids.join(', ')}`, { hint: 'give more of its id' })
  }
  const trial = own[0] ?? found[0]
  if (trial === undefined) throw new IngestError('not_found', `there is no trial ${id}`, { hint })
  if (trial.target !== identity)
    throw new IngestError('not_found', `the trial ${trial.id} is one of ${trial.target}, not of ${name}`, { hint })
  if (trial.result === undefined || trial.result.challenger.deliveries === 0)
    throw new IngestError('not_found', `the trial ${trial.id} has no figures: it failed, or was cut off`, { hint })
  return trial
}

function nothingToRollBack({ name }: RegisteredTarget): IngestError {
  const hint = `vortex-ingest promotions --target ${name} shows what was promoted`
  return new IngestError('not_found', `there is nothing to roll back for ${name}: the defaults apply`, { hint })
}

function parsePromotions(fields: Fields): readonly Promotion[] {
  return fields.list('promotions', parsePromotion)
}

function parsePromotion(fields: Fields): Promotion {
  return {
    id: fields.text('id'),
    at: fields.text('at'),
    by: fields.text('by'),
    note: fields.optional('note', name => fields.text(name)),
    trial: fields.text('trial'),
    settings: parseSettings(fields, 'settings'),
    rolledBack: fields.optional('rolledBack', name => {
      const change = fields.fields(name)
      return { at: change.text('at'), by: change.text('by') }
    }),
  }
}
