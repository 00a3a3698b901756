/** State: durable memory of enqueued and delivered records, the process that works on it, and the effects it needs. */

import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Storage } from '../storage/storage.js'
import { systemCodeOf } from '../errors.js'
import type { Fields } from './fields.js'

export type State = {
  readonly storage: Storage
  /** This process. */
  readonly owner: Owner
  readonly tools: StateTools
}

export type StateTools = {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A random number from 0 up to, but not including, 1. */
  readonly random: () => number
  /** Rejects with the signal's reason when the command is told to stop. */
  readonly sleep: (delayMs: number) => Promise<void>
  /** How long a lease is valid without renewal. */
  readonly leaseMs: number
}

/** The current time, RFC 3339 in UTC. */
export function timestamp({ tools }: State): string {
  return new Date(tools.now()).toISOString()
}

/** A process that writes to state. */
export type Owner = {
  /** Scope in which a pid is unique: a hash of host name and, on Linux, boot and PID namespace. */
  readonly host: string
  readonly pid: number
  /** Start time, which distinguishes processes that reuse a pid; empty where the system does not provide it. */
  readonly started: string
}

export function parseOwner(fields: Fields): Owner {
  return { host: fields.text('host'), pid: fields.count('pid'), started: fields.text('started') }
}

let currentProcess: Promise<Owner> | undefined

export function thisProcess(): Promise<Owner> {
  return (currentProcess ??= describeProcess(process.pid))
}

async function describeProcess(pid: number): Promise<Owner> {
  const [host, started] = await Promise.all([readHostId(), readStartTime(pid)])
  return { host, pid, started: started ?? '' }
}

export function isSameOwner(left: Owner, right: Owner): boolean {
  return left.host === right.host && left.pid === right.pid && left.started === right.started
}

/** Whether a process is known to have ended. False for a process of another host, because its status is unknown here. */
export async function hasEnded({ host, pid, started }: Owner): Promise<boolean> {
  if (host !== (await thisProcess()).host) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return systemCodeOf(error) === 'ESRCH'
  }
  return started !== '' && (await readStartTime(pid)) !== started
}

async function readHostId(): Promise<string> {
  const names = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
  ])
  return createHash('sha256')
    .update([hostname(), ...names].join('\n'))
    .digest('hex')
    .slice(0, 16)
}

/** Field 22 of proc(5) stat: clock ticks between boot and process start. Undefined for zombies and unknown processes. */
async function readStartTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}
