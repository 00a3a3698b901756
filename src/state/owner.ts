/** Which process does something in state, and whether it is known to be gone. */

import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { systemCodeOf } from '../errors.js'
import type { Fields } from './fields.js'

export type Owner = {
  /** Where process numbers mean the same: a boot of a machine and, on Linux, a namespace of processes. */
  readonly host: string
  readonly pid: number
  /** Tells a process from a later one with its number; empty where the system does not say. */
  readonly started: string
}

export function parseOwner(fields: Fields): Owner {
  return { host: fields.text('host'), pid: fields.count('pid'), started: fields.text('started') }
}

let self: Promise<Owner> | undefined

export function thisProcess(): Promise<Owner> {
  return (self ??= describeProcess(process.pid))
}

async function describeProcess(pid: number): Promise<Owner> {
  const [host, started] = await Promise.all([readHostId(), readStartTime(pid)])
  return { host, pid, started: started ?? '' }
}

export function isSameOwner(one: Owner, other: Owner): boolean {
  return one.host === other.host && one.pid === other.pid && one.started === other.started
}

/** True only for a process of this host that has ended; about others nobody here can know. */
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

/** Field 22 of proc(5) stat, in ticks since the boot; undefined for a process that has ended but was not waited for. */
async function readStartTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}
