/** Promotions: the write settings of a target and their history, one object per target. */

import type { PromotionReport } from '../reports/targets.js'
import { IngestError } from '../errors.js'
import type { Storage } from '../storage/storage.js'
import { audit } from './audit.js'
import { retryOnConflict, readDocument, writeDocument } from './document.js'
import type { Fields } from './fields.js'
import { promotionsKey, newId } from './keys.js'
import type { RegisteredTarget } from './registry.js'
import { timestamp, type State } from './state.js'
import { findTrials, parseSettings, type Trial, type WriteSettings } from './trial.js'

export type Promotion = {
  readonly id: string
  /** RFC 3339. */
  readonly at: string
  /** The person or program that promoted the trial, and an optional reason. */
  readonly by: string
  readonly note: string | undefined
  /** Id of the trial. */
  readonly trial: string
  readonly settings: WriteSettings
  /** Undefined unless the promotion was rolled back. */
  readonly rolledBack: { readonly at: string; readonly by: string } | undefined
}

export const MAX_PROMOTIONS = 50

/** A target's promotions, newest first, at most `MAX_PROMOTIONS`. @throws {IngestError} `state_corrupt`, `state_version` */
export async function readPromotions(storage: Storage, target: string): Promise<readonly Promotion[]> {
  return (await readDocument(storage, promotionsKey(target), parsePromotions))?.value ?? []
}

/** The promotion whose settings apply; undefined when the defaults apply. */
export function activePromotion(promotions: readonly Promotion[]): Promotion | undefined {
  return promotions.find(({ rolledBack }) => rolledBack === undefined)
}

/** The person or program that makes a change, and an optional reason. */
export type PromotionAuthor = { readonly by: string; readonly note?: string | undefined }

/** `changed` is false when the trial was already active. */
export type Promoted = { readonly promotion: Promotion; readonly changed: boolean }

/**
 * Applies a trial's settings to its target. The change is durable when this returns. Promoting an active trial again
 * changes nothing.
 * @throws {IngestError} `not_found` for a trial that is unknown, of another target or without a result; `usage` when the
 * id is ambiguous
 */
export async function promoteTrial(
  state: State,
  target: RegisteredTarget,
  { trial: trialId, by, note }: PromotionAuthor & { readonly trial: string },
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

/** The promotion that was rolled back and the one that applies now; `to` is undefined when the defaults apply. */
export type RolledBack = { readonly from: Promotion; readonly to: Promotion | undefined }

/** Rolls back the active promotion. @throws {IngestError} `not_found` when the defaults already apply */
export async function rollBackPromotion(
  state: State,
  target: RegisteredTarget,
  { by }: PromotionAuthor,
): Promise<RolledBack> {
  const id = newId(state.tools.now())
  return changePromotions(state, target, async before => {
    const from = activePromotion(before)
    if (from === undefined) throw nothingToRollBack(target)
    await auditChange(state, target, {
      id,
      event: 'rolled-back',
      detail: `rolled back to the previous settings by ${by}`,
    })
    const rolledBack = { at: timestamp(state), by }
    const after = before.map(promotion => (promotion === from ? { ...promotion, rolledBack } : promotion))
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

/** Writes the audit row before the change, because a spare row is better than a change without one. */
async function auditChange(state: State, { identity }: RegisteredTarget, row: Audited): Promise<void> {
  await audit(state, { ...row, target: identity, partition: '', since: 0, until: 0 })
}

/** Finds a trial of the target by its id or a unique prefix of it. @throws {IngestError} `usage`, `not_found` */
async function findTrial({ storage }: State, { identity, name }: RegisteredTarget, id: string): Promise<Trial> {
  const found = id === '' ? [] : await findTrials(storage, id)
  const own = found.filter(({ target }) => target === identity)
  const hint = `vortex-ingest promotions --target ${name} lists its trials`
  if (own.length > 1) {
    const ids = own.map(trial => trial.id).sort()
    throw new IngestError('usage', `the trial id ${id} is ambiguous: ${ids.join(', ')}`, {
      hint: 'give more characters of the id',
    })
  }
  const trial = own[0] ?? found[0]
  if (trial === undefined) throw new IngestError('not_found', `there is no trial ${id}`, { hint })
  if (trial.target !== identity)
    throw new IngestError('not_found', `the trial ${trial.id} belongs to ${trial.target}, not to ${name}`, { hint })
  if (trial.result === undefined || trial.result.challenger.deliveries === 0)
    throw new IngestError('not_found', `the trial ${trial.id} has no result: it failed or was interrupted`, { hint })
  return trial
}

function nothingToRollBack({ name }: RegisteredTarget): IngestError {
  const hint = `vortex-ingest promotions --target ${name} lists the promotions`
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

export function promotionDocument({ id, at, by, note, trial, settings, rolledBack }: Promotion): PromotionReport {
  return { id, at, by, note: note ?? null, trial, settings, rolled_back: rolledBack ?? null }
}
