/** Keys of all objects in state. */

import { createHash } from 'node:crypto'
import { decodeTime, ulid } from 'ulid'

/**
 * A partition is the SHA of one commit. Sequence numbers order all lines of a commit, so that the later of two records
 * with the same measurement id wins.
 */
export type Partition = string

export const OUTBOX = 'outbox/'
export const WATERMARKS = 'watermarks/'
export const INTENTS = 'intents/'
export const AUDIT = 'audit/'
export const TARGETS = 'targets/'
export const JOURNAL = 'journal/'
export const HEALTH = 'health/'
export const BUCKETS = 'buckets/'
export const TRIALS = 'trials/'
export const REJECTS = 'rejects/'
const PROMOTIONS = 'promotions/'
const COPIES = 'copies/'
export const REGISTRY_KEY = 'registry'
export const ACCEPTED_CHANGES_KEY = 'accepted-changes'

export const headKey = (partition: Partition): string => `${OUTBOX}${partition}/head`
export const linesPrefix = (partition: Partition): string => `${OUTBOX}${partition}/lines/`
export const watermarksPrefix = (partition: Partition): string => `${WATERMARKS}${partition}/`
export const watermarkKey = (partition: Partition, target: string): string =>
  `${watermarksPrefix(partition)}${targetKeyPart(target)}`
export const targetKey = (target: string): string => `${TARGETS}${targetKeyPart(target)}`
export const intentKey = (id: string): string => `${INTENTS}${id}`
export const auditKey = (id: string): string => `${AUDIT}${id}`
export const journalKey = (id: string): string => `${JOURNAL}${id}`
export const rejectsPrefix = (id: string): string => `${REJECTS}${id}/`
export const rejectsHeadKey = (id: string): string => `${rejectsPrefix(id)}head`
export const isRejectsHead = (key: string): boolean => key.endsWith('/head')
export const healthKey = (subject: 'target' | 'bucket', name: string): string => `${HEALTH}${subject}/${name}`
export const trialsPrefix = (target: string): string => `${TRIALS}${targetKeyPart(target)}/`
export const trialKey = (target: string, id: string): string => `${trialsPrefix(target)}${id}`
export const promotionsKey = (target: string): string => `${PROMOTIONS}${targetKeyPart(target)}`

/** @param copy the ids of the source and the target of a copy, and what part of the source is copied */
export const copyKey = (copy: string): string => `${COPIES}${targetKeyPart(copy)}`

/** A target id as part of a key. It is hashed because ids may hold any character; its scheme stays readable for people. */
function targetKeyPart(target: string): string {
  const [scheme = ''] = /^[a-z]+/.exec(target) ?? []
  return `${scheme}-${createHash('sha256').update(target).digest('hex').slice(0, 20)}`
}

/** A globally unique id of 26 characters. @param now milliseconds since 1970 */
export function newId(now: number): string {
  return ulid(now).toLowerCase()
}

/** Creation time of an id, milliseconds since 1970. @param text an id, or a key that ends with one */
export function idTime(text: string): number {
  return decodeTime(text.slice(-26).toUpperCase())
}
