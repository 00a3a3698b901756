/**
 * The matrix: every step of a push with state, and every step of the drain that recovers what a killed push left, times every
 * fault, times targets, times the plain command that follows. Each cell runs the real program. All cells take long, so a sample
 * is drawn; test/crash/fixtures/extent.ts has its size.
 *
 * After the fault: exit 0 only when every target has everything. After the plain command: every interrupted delivery is
 * finished, its intent is deleted and it has one audit row; no watermark exceeds what its target holds; the report says what was
 * done. A push and a drain also leave nothing undelivered. A recover leaves deliveries that had not begun, and the lease of a
 * dead process, to a drain, which then follows. Drain and recover do not know files that were not enqueued before the fault, so a
 * push follows. In the end every target holds every record once with its last value, every watermark is at the end of the outbox,
 * no lease is held, and the state holds nothing else. A database has recorded each range under one delivery id, no fencing token
 * above that of the state, and in the end the same watermark. A drain of an older copy of the state then changes nothing.
 */

import t from 'tap'
import { drain } from '../../src/delivery/drain.js'
import { messageOf } from '../../src/errors.js'
import { Random, SEED } from '../fixtures/random.js'
import {
  COMMANDS,
  runIn,
  type Cell,
  type Command,
  faultsAt,
  stepsOf,
  type Step,
  makeCell,
  removeCell,
  type Fault,
} from './fixtures/cell.js'
import { CELLS, MIN_CELLS, fewAtATime } from './fixtures/extent.js'
import { isWhole } from '../fixtures/extent.js'
import { startTargetSets, type TargetSet, unlike, type Values } from './fixtures/targets.js'
import type { CliResult } from '../fixtures/cli.js'
import { lastOf, leftovers, pendingRecords, snapshot, type Snapshot } from './fixtures/state.js'

const AT_ONCE = 4

t.setTimeout(isWhole ? 20_000_000 : 1_800_000)
const sets = await startTargetSets(t)

/** A command and what comes before it. */
type Scenario = {
  readonly scenario: string
  readonly command: Command
  readonly prepare: (cell: Cell) => Promise<unknown>
}

const PUSH: Scenario = { scenario: 'of two files', command: 'push', prepare: () => Promise.resolve() }
/** The targets have applied something of which nothing is known; after that more waits for them, or nothing. */
const HEAL: readonly Scenario[] = ['watermark.put#2', 'watermark.put#3'].map(step => ({
  scenario: `after ${step}`,
  command: 'drain',
  prepare: cell => runIn(cell, 'push', { failPoint: `${step}=kill-before` }),
}))

async function plansOf(scenario: Scenario, set: TargetSet): Promise<readonly Plan[]> {
  const steps = await stepsOf(scenario.command, set, scenario)
  const plans = steps.flatMap(step => faultsAt(step).map(fault => ({ ...scenario, step, fault, set })))
  t.comment(
    `${scenario.command} ${scenario.scenario} to ${set.name}: ${steps.length} steps, ${plans.length} cells: ${table(steps)}`,
  )
  return plans.flatMap(plan => COMMANDS.map(rerun => ({ ...plan, rerun })))
}

/** How many faults each step meets. */
function table(steps: readonly Step[]): string {
  return steps.map(step => `${step} x ${faultsAt(step).length}`).join(', ')
}

const matrix: Plan[] = []
for (const set of sets) for (const scenario of [PUSH, ...HEAL]) matrix.push(...(await plansOf(scenario, set)))
const plans = isWhole ? matrix : new Random(SEED).shuffled(matrix).slice(0, CELLS)
const drawn = `TEST_SEED=${SEED} repeats them, VORTEX_INGEST_TEST_ALL=1 runs all`
t.comment(`${plans.length} of ${matrix.length} cells are run${isWhole ? '' : `: ${drawn}`}`)

t.test('after any fault at any step, a plain command completes every delivery', async t => {
  t.ok(plans.length >= MIN_CELLS, `${plans.length} cells, at least ${MIN_CELLS}`)
  await fewAtATime(plans, AT_ONCE, async plan => {
    t.strictSame(await runCell(plan), [], nameOf(plan))
  })
})

type Plan = {
  /** Name of the situation before the command. */
  readonly scenario: string
  /** The command that is interrupted by the fault. */
  readonly command: Command
  readonly step: Step
  readonly fault: Fault
  readonly rerun: Command
  readonly set: TargetSet
  /** Brings the cell to where the command finds it. */
  readonly prepare: (cell: Cell) => Promise<unknown>
}

/** @returns what does not hold, one line each */
async function runCell(plan: Plan): Promise<readonly string[]> {
  const { command, step, fault, rerun, set } = plan
  const cell = await makeCell(nameOf(plan), set)
  const look = (): Promise<Snapshot> => snapshot(cell.state, cell.sha)
  try {
    await plan.prepare(cell)
    const open = (await look()).intents
    const faulted = await runIn(cell, command, { failPoint: `${step}=${fault}` })
    const before = await look()
    const begun = [...new Set([...open, ...before.intents].map(({ id }) => id))]
    const problems = await afterFault(cell, plan, { faulted, before })
    const told = await runIn(cell, rerun)
    problems.push(...afterRerun(rerun, { told, before, after: await look() }))
    problems.push(...(await finish(cell, rerun)))
    return [...problems, ...(await atLast(cell, await look(), begun))]
  } finally {
    removeCell(cell)
  }
}

function nameOf({ scenario, command, step, fault, rerun, set }: Plan): string {
  return `${command} ${scenario} to ${set.name}: ${fault} at ${step}, then ${rerun}`
}

type Faulted = { readonly faulted: CliResult; readonly before: Snapshot }

async function afterFault(cell: Cell, { fault, set }: Plan, { faulted, before }: Faulted): Promise<string[]> {
  const problems: string[] = []
  const { code, signal, stderr } = faulted
  // Two targets take turns in another order every time, so that one may have fewer of a step than were counted.
  const mustDie = fault.startsWith('kill') && set.targets.length === 1
  if (mustDie && signal !== 'SIGKILL') problems.push(`the fault was not met: ${code} ${signal}`)
  if (code === 0) problems.push(...(await unlike(cell, cell.all, 'exit 0')))
  if (code !== null && ![0, 69, 75].includes(code)) problems.push(`the faulted command ended with ${code}: ${stderr}`)
  return [...problems, ...(await overstated(cell, before)), ...(await wronglyOrdered(cell, before, false))]
}

/** Compares the rows of the schema `vortex_ingest` with the state. */
async function wronglyOrdered(cell: Cell, found: Snapshot, isSettled: boolean): Promise<readonly string[]> {
  const problems: string[] = []
  for (const { name, order } of cell.set.targets) {
    if (order === undefined) continue
    const { deliveries, watermarks } = await order(cell.sha)
    // The id of a delivery ends with its range.
    const ranges = new Set(deliveries.map(id => id.slice(id.indexOf('-'))))
    if (ranges.size !== deliveries.length) problems.push(`${name} applied a range twice: ${deliveries.join()}`)
    for (const [target, { id, until, fencingToken }] of found.watermarks) {
      const stored = watermarks.get(id)
      if (found.kinds.get(target) !== name || stored === undefined) continue
      // A lease that found everything delivered raises the token of the state only.
      if (stored.token > fencingToken)
        problems.push(`${name} has the fencing token ${stored.token}, not ${fencingToken}`)
      if (isSettled && stored.until !== until) problems.push(`${name} has the watermark ${stored.until}, not ${until}`)
    }
    if (isSettled && name === 'postgres' && watermarks.size !== 1) problems.push(`${watermarks.size} watermarks`)
  }
  return problems
}

/** Delivers what an older copy of the state holds, which must change nothing. */
async function replayOlder({ older, set, sha, cwd, all }: Cell): Promise<readonly string[]> {
  const targets = set.targets.flatMap(({ library }) => library ?? [])
  if (targets.length === 0) return []
  const { targets: ended } = await drain({ state: older, targets })
  const failed = ended.flatMap(({ error }) => (error === undefined ? [] : [`the replay failed: ${messageOf(error)}`]))
  return [...failed, ...(await unlike({ set, sha, cwd }, all, 'after an older replay'))]
}

/**
 * A watermark at the end of the outbox says that the target holds all of it; what a target holds beyond its watermark has an
 * intent.
 */
async function overstated(cell: Cell, found: Snapshot): Promise<readonly string[]> {
  const problems: string[] = []
  for (const [id, { until }] of found.watermarks) {
    const target = cell.set.targets.find(({ name }) => name === found.kinds.get(id))!
    const held = await target.read(cell.sha, cell.cwd)
    const known = knownAt(cell, found, until)
    const valueIn = (values: Values, dataset: string): number => Number(values.get(dataset) ?? 0)
    for (const dataset of known.keys())
      if (valueIn(held, dataset) < valueIn(known, dataset)) problems.push(`${target.name} lacks ${dataset} at ${until}`)
    const isAhead = [...held.keys()].some(dataset => valueIn(held, dataset) > valueIn(known, dataset))
    if (isAhead && !found.intents.some(intent => intent.target === id && intent.until > until))
      problems.push(`${target.name} was given what no intent tells of`)
  }
  return problems
}

function knownAt({ all, earlier }: Cell, { head }: Snapshot, until: number): Values {
  if (until === 0) return new Map()
  return until === lastOf(head) && until > earlier.size ? all : earlier
}

type Rerun = { readonly told: CliResult; readonly before: Snapshot; readonly after: Snapshot }

type Report = {
  readonly targets: readonly {
    readonly name: string
    readonly outbox: {
      readonly delivered: { readonly until: number } | null
      readonly kept: number
      readonly audited: readonly { readonly id: string }[]
    }
  }[]
  readonly sources?: readonly { readonly change: string }[]
  readonly swept?: number
}

/** The report says what was done, and that is what there was to do. */
function afterRerun(rerun: Command, { told, before, after }: Rerun): readonly string[] {
  if (told.code !== 0) return [`${rerun} ended with ${told.code}: ${told.stderr}`]
  const report = JSON.parse(told.stdout) as Report
  const isTaken = before.head.positions.size > 1
  const problems = after.intents.map(({ id }) => `${rerun} left the intent ${id}`)
  if (rerun === 'push')
    for (const { change } of report.sources ?? [])
      if (change !== (isTaken ? 'unchanged' : 'new')) problems.push(`a source is said to be ${change}`)
  if (rerun !== 'push' && report.swept !== before.unnamed.length) problems.push(`${report.swept} are said to be swept`)
  for (const { name, outbox } of report.targets) {
    const [id = ''] = [...after.kinds].find(([, kind]) => kind === name) ?? []
    const healed = before.intents.filter(({ target }) => target === id).map(intent => intent.id)
    const said = outbox.audited.map(row => row.id)
    if (said.join() !== healed.join())
      problems.push(`${name}: said to be recovered: ${said.join()}, was: ${healed.join()}`)
    const [from, to] = [before, after].map(({ watermarks }) => watermarks.get(id)?.until ?? 0)
    const moved = from === to ? undefined : to
    if (moved !== outbox.delivered?.until)
      problems.push(`${name}: said to be delivered: ${outbox.delivered?.until}, was: ${moved}`)
    if (rerun !== 'recover' && outbox.kept + pendingRecords(after, id) > 0)
      problems.push(`${name}: ${outbox.kept} kept`)
  }
  return problems
}

/** Problems that a drain or recover reported. */
async function finish(cell: Cell, rerun: Command): Promise<readonly string[]> {
  if (rerun === 'push') return []
  const problems: string[] = []
  const run = async (command: Command): Promise<void> => {
    const { code, stderr } = await runIn(cell, command)
    if (code !== 0) problems.push(`the last ${command} ended with ${code}: ${stderr}`)
  }
  const { head, watermarks } = await snapshot(cell.state, cell.sha)
  const isUnsettled = [...watermarks.values()].some(w => w.until !== lastOf(head) || w.lease !== undefined)
  const isBehind = watermarks.size < cell.set.targets.length || isUnsettled
  if (rerun === 'recover' && isBehind) await run('drain')
  if (head.positions.size === 1) await run('push')
  return problems
}

async function atLast(cell: Cell, found: Snapshot, begun: readonly string[]): Promise<readonly string[]> {
  const audited = found.audit.map(({ event, id }) => `${event} ${id}`).sort()
  const expected = begun.map(id => `recovered ${id}`).sort()
  return [
    ...(await unlike(cell, cell.all, 'at last')),
    ...leftovers(found, cell.sha),
    ...(await wronglyOrdered(cell, found, true)),
    ...(await replayOlder(cell)),
    ...(audited.join() === expected.join() ? [] : [`audit rows: ${audited.join()}, not ${expected.join()}`]),
  ]
}
