/** Checks that a registered target is reachable and accepts the credentials. Writes nothing. */

import { readFile } from 'node:fs/promises'
import type { DoctorFlags } from '../doctor/action.js'
import type { Diagnosis } from '../../../doctor/diagnose.js'
import { failure } from '../../../doctor/finding.js'
import type { RolePolicy } from '../../../database/postgres/role.js'
import { openBucket } from '../../../state/bucket-objects.js'
import type { RegisteredTarget } from '../../../state/registry.js'
import type { State } from '../../../state/state.js'
import type { Context } from '../../context.js'
import { packageFile } from '../../../package-file.js'

/** The findings of `doctor` for a push to this target. */
export async function checkTarget(target: RegisteredTarget, state: State, context: Context): Promise<Diagnosis> {
  if (target.kind === 'archive') return checkArchive(target, state)
  const { diagnose } = await import('../../../doctor/diagnose.js')
  const { version } = JSON.parse(await readFile(packageFile('package.json'), 'utf8')) as { version: string }
  const { now, signal } = context
  const env = environmentOf(target, context)
  const diagnosis = await diagnose({ flags: flagsOf(target), origins: new Map(), env }, { version, now, signal })
  const groups = diagnosis.groups.filter(({ name }) => name !== 'program' && name !== 'configuration')
  return { ...diagnosis, groups }
}

function flagsOf(target: RegisteredTarget): Omit<DoctorFlags, 'format'> {
  const { kind, address, secretEnv, insecureLocal, rolePolicy, region } = target
  if (kind === 'server') return { server: address, ...(secretEnv !== undefined && { tokenEnv: secretEnv }) }
  if (kind === 'embedded') return { embedded: address }
  const policy: { readonly rolePolicy?: RolePolicy } =
    rolePolicy === 'any' || rolePolicy === 'bench_ingest' ? { rolePolicy } : {}
  return { postgres: address, insecureLocal, ...policy, ...(region !== undefined && { region }) }
}

function environmentOf({ kind, secretEnv }: RegisteredTarget, { env }: Context): Context['env'] {
  return kind === 'postgres' && secretEnv !== undefined ? { ...env, PGPASSWORD: env[secretEnv] } : env
}

/** Checks that the bucket of an archive answers, by reading an object that never exists. */
async function checkArchive({ address }: RegisteredTarget, state: State): Promise<Diagnosis> {
  const objects = await openBucket(state, address)
  try {
    await objects.get('vortex-ingest-check')
    return { exitCode: 0, groups: [] }
  } catch (error) {
    const line = { check: 'bucket', ...failure(error) }
    return { exitCode: 69, groups: [{ name: 'archive', target: objects.description, lines: [line] }] }
  } finally {
    await objects.close()
  }
}
