/**
 * The matrix: every step that a push with state makes, and every step of the drain that heals what a killed push left, times
 * every fault, times targets, times the plain command that follows; the real program in each cell. All of it takes long, so
 * a sample is drawn, of a size that test/crash/fixtures/extent.ts knows.
 */

import t from 'tap'
import { Random } from '../fixtures/random.js'
import { COMMANDS, runIn, type Cell, type Command } from './fixtures/cell.js'
import { CELLS, isWhole, LEAST_CELLS } from './fixtures/extent.js'
import { fewAtATime } from './fixtures/few-at-a-time.js'
import { nameOf, runCell, type Plan } from './fixtures/run-cell.js'
import { faultsAt, stepsOf, type Step } from './fixtures/steps.js'
import { CRASH_SEED } from './fixtures/seed.js'
import { startTargetSets, type TargetSet } from './fixtures/targets.js'

const AT_ONCE = 4

t.setTimeout(1_800_000)
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
const plans = isWhole ? matrix : new Random(CRASH_SEED).shuffled(matrix).slice(0, CELLS)
const drawn = `VORTEX_INGEST_TEST_SEED=${CRASH_SEED} repeats them, VORTEX_INGEST_TEST_ALL=1 runs all`
t.comment(`${plans.length} of ${matrix.length} cells are run${isWhole ? '' : `: ${drawn}`}`)

t.test('whatever fails wherever, a plain command makes it good', async t => {
  t.ok(plans.length >= LEAST_CELLS, `${plans.length} cells, at least ${LEAST_CELLS}`)
  await fewAtATime(plans, AT_ONCE, async plan => {
    t.strictSame(await runCell(plan), [], nameOf(plan))
  })
})
