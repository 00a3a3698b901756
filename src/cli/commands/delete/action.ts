/** `delete`: deletes the records of a commit from a database. */

import { createInterface } from 'node:readline/promises'
import { stateConfig, type StateFlags } from '../../../config/state.js'
import { isFullSha } from '../../../contract/commit.js'
import {
  countDeletion,
  deleteRecords,
  isNothing,
  type DeletedRecords,
  type Deletion,
} from '../../../database/delete-commit.js'
import { EXIT, IngestError } from '../../../errors.js'
import type { DeleteReport } from '../../../reports/operations.js'
import { queuedRecords } from '../../../state/queued-records.js'
import type { OpenSession } from '../../../targets/kind.js'
import type { TargetFlags } from '../../../targets/kinds.js'
import type { Action, Context, Format } from '../../context.js'
import { openConfiguredState } from '../../options/open-state.js'
import { openDatabase } from '../../options/target-world.js'
import { thisUser } from '../../options/this-user.js'
import { plural } from '../../output/report.js'

export type DeleteFlags = TargetFlags &
  StateFlags & {
    readonly commit: string
    readonly run?: string
    readonly reason?: string
    readonly yes?: boolean
    readonly dryRun?: boolean
    readonly format: Format
  }

export const runDelete: Action<DeleteFlags> = async (_args, flags, context) => {
  const { commit, run } = flags
  assertCanDelete(flags)
  if (!isFullSha(commit))
    throw new IngestError('usage', `--commit ${commit} is not a full commit id`, { hint: 'git rev-parse prints it' })
  await assertNothingQueued(flags, context)
  const opened = await openDatabase(flags, false, context)
  try {
    const found = await countDeletion(opened.session, { commit, run })
    if (isNothing(found, { commit, run })) throw nothingError({ commit, run }, opened)
    if (flags.dryRun === true) return print(found, opened, flags, context)
    if (flags.yes !== true) await confirm(found, opened, flags, context)
    const note = { reason: flags.reason, deletedBy: thisUser() }
    const deleted = await deleteRecords(opened.session, { commit, run }, note)
    // Another process has deleted them in the meantime.
    if (isNothing(deleted, { commit, run })) throw nothingError({ commit, run }, opened)
    return print(deleted, opened, flags, context)
  } finally {
    await opened.close()
  }
}

function assertCanDelete(flags: TargetFlags): void {
  const kind = ['server', 'archive'].find(name => flags[name] !== undefined)
  if (kind === undefined) return
  const hint =
    kind === 'server'
      ? 'give the database of the server: --postgres DSN'
      : 'delete the objects of the commit: TABLE/COMMIT/'
  throw new IngestError('usage', `records cannot be deleted through --${kind}`, { hint })
}

/** Records that are still queued would come back with the next drain. */
async function assertNothingQueued(flags: DeleteFlags, context: Context): Promise<void> {
  const config = stateConfig(flags, context.env)
  if (config === undefined) return
  const state = await openConfiguredState(config, context)
  try {
    const queued = await queuedRecords(state.storage, flags.commit)
    if (queued === 0) return
    throw new IngestError(
      'protected',
      `${plural(queued, 'record')} of ${flags.commit} are queued in ${state.storage.description}`,
      {
        hint: 'deliver them first with `vortex-ingest drain`, or give them up with `vortex-ingest state prune`',
      },
    )
  } finally {
    await state.storage.close()
  }
}

async function confirm(
  found: DeletedRecords,
  { description }: OpenSession,
  flags: DeleteFlags,
  context: Context,
): Promise<void> {
  const { stdin, signal } = context
  if (!stdin.isTTY)
    throw new IngestError('usage', 'delete asks before it deletes, and there is no terminal', { hint: 'add --yes' })
  const question = createInterface({ input: stdin, output: process.stderr })
  try {
    const answer = await question.question(`Delete ${whatOf(found, flags)} from ${description}? [y/N] `, { signal })
    if (/^y(es)?$/i.test(answer.trim())) return
    throw new IngestError('interrupted', 'nothing was deleted')
  } finally {
    question.close()
  }
}

function print(found: DeletedRecords, { description }: OpenSession, flags: DeleteFlags, { report }: Context): number {
  const { format, commit, run = null, dryRun = false } = flags
  const exitCode = EXIT.done
  if (format === 'json') {
    const kinds = [...found.counts].map(([kind, records]) => ({ kind, records }))
    const head = { command: 'delete', exit_code: exitCode, dry_run: dryRun, target: description, commit, run } as const
    report.json<DeleteReport>({ ...head, records: total(found), deliveries: found.deliveries.length, kinds })
    return exitCode
  }
  report.verdict(true, dryRun ? 'would delete' : 'deleted', `${whatOf(found, flags)} from ${description}`)
  for (const [kind, records] of found.counts)
    report.result(`  ${kind.padEnd(20)}${String(records).padStart(12)} records`)
  return exitCode
}

const total = ({ counts }: DeletedRecords): number => [...counts.values()].reduce((sum, records) => sum + records, 0)

function whatOf(found: DeletedRecords, { commit, run }: Deletion): string {
  const records = plural(total(found), 'record')
  return run === undefined ? `commit ${commit} with ${records}` : `${records} of run ${run} of ${commit}`
}

function nothingError({ commit, run }: Deletion, { description }: OpenSession): IngestError {
  const what = run === undefined ? commit : `the run ${run} of ${commit}`
  return new IngestError('commit_unknown', `nothing of ${what} is stored in ${description}`, {
    hint: '`vortex-ingest lineage COMMIT` lists the deliveries of a commit',
  })
}
