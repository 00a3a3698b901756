/** `verify --state`: compares what the watermarks of a state claim with what its targets hold. */

import { requiredStateConfig } from '../../../config/state.js'
import { recheck, type CommitRecheck, type RecheckTarget, type TargetRecheck } from '../../../delivery/recheck.js'
import { EXIT, exitCodeOf, failureCause } from '../../../errors.js'
import type { RecheckReport } from '../../../reports/state.js'
import { readRegistry, type RegisteredTarget, type Registry } from '../../../state/registry.js'
import type { State } from '../../../state/state.js'
import { knownTargets } from '../../../state/target-record.js'
import { requireTarget } from '../../../state/targets.js'
import { namedKinds, type TargetFlags } from '../../../targets/kinds.js'
import { registeredKind, registeredOptions } from '../../../targets/registered.js'
import type { Action, Context, Format } from '../../context.js'
import type { ChoiceFlags } from '../../options/choose-targets.js'
import { errorReport } from '../../output/error-report.js'
import { piiOptions } from '../../options/pii.js'
import { plural, type Report } from '../../output/report.js'
import { openUsedState } from '../state/used-state.js'
import { rowsOpener } from './rows.js'

export type RecheckFlags = TargetFlags &
  Pick<ChoiceFlags, 'state' | 'target'> & { readonly format: Format; readonly rewind?: boolean }

export const runRecheck: Action<RecheckFlags> = async (_, flags, context) => {
  const state = await openUsedState(requiredStateConfig(flags, context.env), context)
  try {
    return await recheckAndPrint(state, flags, context)
  } finally {
    await state.storage.close()
  }
}

async function recheckAndPrint(state: State, flags: RecheckFlags, context: Context): Promise<number> {
  const { report, reportFile, signal } = context
  const rewind = flags.rewind === true
  const results = await recheck({ state, targets: await chosenTargets(state, flags, context), rewind, signal })
  const exitCode = recheckExitCode(results)
  const document = recheckReport(results, { exitCode, place: state.storage.description })
  if (flags.format === 'json') report.json<RecheckReport>(document)
  else for (const result of results) printRecheck(report, result)
  reportFile?.json<RecheckReport>(document)
  const canRewind = !rewind && results.some(({ commits }) => commits.some(hasReplaceable))
  if (canRewind) report.hint('add --rewind to move the watermarks back, then run `vortex-ingest drain`')
  return exitCode
}

/** The targets that flags name, otherwise the registered ones, followed by others that the state has delivered to. */
async function chosenTargets(state: State, flags: RecheckFlags, context: Context): Promise<readonly RecheckTarget[]> {
  const named = namedKinds(flags)
  const pii = piiOptions(flags, context.env)
  if (named.length > 0)
    return Promise.all(
      named.map(async kind => {
        const id = await kind.targetId(flags, { env: context.env })
        return { name: kind.kind, kind: kind.kind, id, openRows: rowsOpener(kind, flags, context) ?? NOT_READABLE, pii }
      }),
    )
  const registry = await readRegistry(state.storage)
  const names = flags.target ?? [...registry.targets.keys()].sort()
  const targets = names.map(name => registeredTarget(requireTarget(registry, name), flags, context))
  return flags.target === undefined ? [...targets, ...(await unregisteredTargets(state, registry))] : targets
}

const NOT_READABLE = 'rows of this kind of target cannot be read back'

function registeredTarget(target: RegisteredTarget, flags: RecheckFlags, context: Context): RecheckTarget {
  const { name, kind, identity: id } = target
  const openRows = rowsOpener(registeredKind(target), registeredOptions(target, flags), context)
  return { name, kind, id, openRows: openRows ?? NOT_READABLE, pii: piiOptions(flags, context.env, target) }
}

async function unregisteredTargets({ storage }: State, { targets }: Registry): Promise<readonly RecheckTarget[]> {
  const registered = new Set([...targets.values()].map(({ identity }) => identity))
  const others = (await knownTargets(storage)).filter(({ id }) => !registered.has(id))
  const openRows = 'it is not registered: give the target flags of its push'
  return others.map(({ id, kind, description }) => ({ name: description, kind, id, openRows }))
}

function recheckExitCode(results: readonly TargetRecheck[]): number {
  if (results.some(({ commits }) => commits.some(isDifferent))) return EXIT.mismatch
  const failed = results.find(({ error }) => error !== undefined)
  if (failed !== undefined) return exitCodeOf(failed.error)
  return results.some(isCompared) ? EXIT.done : EXIT.noInput
}

/** Whether anything could be compared. A commit without records is compared by its row alone. */
function isCompared(result: TargetRecheck): boolean {
  const { compared, pruned } = sumTotals(result)
  return result.notCheckable === undefined && (compared > 0 || pruned === 0)
}

function isDifferent({ missing, different }: CommitRecheck): boolean {
  return missing + different > 0
}

function hasReplaceable({ missing, different, isOrdered, rewound, compared }: CommitRecheck): boolean {
  return compared > 0 && rewound === undefined && (missing > 0 || (isOrdered && different > 0))
}

type Totals = Pick<CommitRecheck, 'compared' | 'missing' | 'different' | 'superseded' | 'pruned'>

function sumTotals({ commits }: TargetRecheck): Totals {
  const sum = (name: keyof Totals): number => commits.reduce((all, commit) => all + commit[name], 0)
  const differences = { missing: sum('missing'), different: sum('different'), superseded: sum('superseded') }
  return { compared: sum('compared'), ...differences, pruned: sum('pruned') }
}

function recheckReport(
  results: readonly TargetRecheck[],
  { exitCode, place }: { readonly exitCode: number; readonly place: string },
): RecheckReport {
  const targets = results.map(result => {
    const { name, kind, id, commits, notCheckable, error } = result
    const failed = error === undefined ? null : errorReport(error)
    return {
      ...{ name, kind, target: id, not_checkable: notCheckable ?? null },
      failed: failed && { cause: failureCause(failed.code) ?? null, ...failed },
      ...{ commits: commits.length, ...sumTotals(result) },
      findings: commits
        .filter(commit => isDifferent(commit) || commit.pruned > 0)
        .map(({ rewound, isOrdered: ordered, ...commit }) => ({ ...commit, ordered, rewound: rewound ?? null })),
    }
  })
  return { command: 'verify', exit_code: exitCode, state: place, targets }
}

function printRecheck(report: Report, result: TargetRecheck): void {
  const { name, id, commits, notCheckable, error } = result
  if (notCheckable !== undefined) return report.result(`not checkable: ${name}: ${notCheckable}`)
  const { compared, missing, different, superseded, pruned } = sumTotals(result)
  const size = `${plural(compared, 'measurement')} of ${plural(commits.length, 'commit')}`
  const differences = `of ${size} in ${id}, ${missing} are missing and ${different} have another value`
  if (error !== undefined) report.verdict(false, 'failed:', `${id}: the comparison stopped after ${size}`)
  else if (missing + different > 0) report.verdict(false, 'different:', differences)
  else if (isCompared(result))
    report.verdict(true, 'verified:', `${size} in ${id} match the state${supersededText(superseded)}`)
  else report.verdict(false, 'not compared:', `the records of ${id} were pruned from the state`)
  for (const commit of commits.filter(isDifferent)) report.result(`  ${findingText(commit)}`)
  if (pruned > 0) report.result(`  not compared: ${plural(pruned, 'record')} that were pruned from the state`)
  if (error !== undefined) report.error(error)
}

function supersededText(superseded: number): string {
  return superseded === 0 ? '' : `, except ${superseded} that a newer delivery replaced`
}

function findingText({ commit, missing, different, isOrdered, pruned, rewound }: CommitRecheck): string {
  const fate = isOrdered ? 'replaced unless a newer delivery wrote it' : 'not replaced'
  const values = different === 0 ? '' : `, ${different} with another value, which is ${fate}`
  const lost =
    missing > 0 && pruned > 0
      ? `; ${plural(pruned, 'earlier record')} were pruned: push their files again with --full-refresh`
      : ''
  const again =
    rewound === undefined
      ? ''
      : `; watermark moved back to ${rewound.until}: the next drain delivers ${plural(rewound.records, 'record')}`
  return `${commit.slice(0, 7)}: ${missing} missing${values}${again}${lost}`
}
