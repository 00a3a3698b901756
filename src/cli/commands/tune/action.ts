/** `tune`: searches for faster write settings of a registered target by measuring trials. */

import { settingValues } from '../../../database/tunables.js'
import { writeSettings } from '../../../targets/write-settings.js'
import { openJournal } from '../../../delivery/durable/delivery-journal.js'
import { PAIRS } from '../../../delivery/tuning/measure.js'
import { tune, type TuneOptions, type Tuned } from '../../../delivery/tuning/tune.js'
import type { TuneReport } from '../../../reports/targets.js'
import { registeredKind } from '../../../targets/registered.js'
import { EXIT } from '../../../errors.js'
import type { Journal } from '../../../state/journal.js'
import { activePromotion, readPromotions } from '../../../state/promotions.js'
import type { RegisteredTarget } from '../../../state/registry.js'
import type { State } from '../../../state/state.js'
import type { Trial } from '../../../state/trial.js'
import { openInputs, releaseSources } from '../../../source/inputs.js'
import type { Context } from '../../context.js'
import type { Work } from '../../output/progress/meter.js'
import { openForTrials } from '../../options/registered-targets.js'
import { type TuningAction, type TuningFlags, missing, withTarget } from './with-target.js'
import { readSample } from './sample.js'
import { printTuned, trialText, tuneReport, type TuneRun } from './report.js'
import { monotonicMs } from '../../../monotonic-time.js'

export const DEFAULT_TRIALS = 8
export const DEFAULT_BUDGET_MS = 5 * 60_000
export const DEFAULT_PER_HOUR = 60

export const runTune: TuningAction = (_, flags, context) =>
  withTarget(flags, context, async (state, target) => {
    const { stdin, signal } = context
    const { sample: file, format } = flags
    if (file === undefined) throw missing('--sample', 'name a file like those that are pushed to the target')
    const started = monotonicMs()
    const opener = await openForTrials(target, flags, context)
    const sources = await openInputs([file], { stdin, rereadable: true, signal })
    const journal = openJournal(state, 'tune')
    try {
      const sample = await readSample(sources[0]!, context)
      const meter = context.watch?.meters?.start(workOf(target, sample.size, flags))
      const found = await tune(state, {
        ...{ opener, signal, ...limitsOf(flags) },
        ...(await whatToTune(state, target)),
        ...{ delivery: sample.delivery, sample: sample.size },
        onTrial: trial => noteTrial(trial, context),
        onDelivery: () => meter?.add(sample.size.records),
        onError: error => journal.record({ subject: 'target', name: target.name, operation: 'tune', error }),
      })
      return finish(found, { target, sample, durationMs: monotonicMs() - started }, { context, format })
    } finally {
      await writeQuietly(journal, context)
      await releaseSources(sources)
    }
  })

function limitsOf({
  trials = DEFAULT_TRIALS,
  budget: budgetMs = DEFAULT_BUDGET_MS,
  maxTrialsPerHour = DEFAULT_PER_HOUR,
}: TuningFlags): Pick<TuneOptions, 'trials' | 'budgetMs' | 'maxTrialsPerHour'> {
  return { trials, budgetMs, maxTrialsPerHour }
}

async function whatToTune(
  { storage }: State,
  target: RegisteredTarget,
): Promise<Pick<TuneOptions, 'tunables' | 'active'>> {
  const promotion = activePromotion(await readPromotions(storage, target.identity))
  const { tunables } = registeredKind(target)
  const used = writeSettings(tunables, { flags: {}, origins: new Map() }, promotion)
  return { tunables, active: settingValues(used) ?? {} }
}

/** Progress of a tuning run. The total assumes that no trial ends early, so the run may finish sooner than estimated. */
function workOf({ name }: RegisteredTarget, { records }: Trial['sample'], flags: TuningFlags): Work {
  const { trials } = limitsOf(flags)
  return { label: `tuning ${name}`, unit: 'records', total: trials * PAIRS * 2 * records }
}

/** Prints one line for each finished trial during the run. */
function noteTrial({ id, result }: Trial, { report }: Context): void {
  if (result !== undefined) report.note(trialText(id, result))
}

type Telling = { readonly context: Context; readonly format: TuningFlags['format'] }

function finish(found: Tuned, run: TuneRun, { context: { report }, format }: Telling): number {
  // No trial ran because the limit per hour was reached, so the user must run the command again later.
  const exitCode = found.stopped === 'cool-down' && found.trials.length === 0 ? EXIT.queued : EXIT.done
  if (format === 'json') report.json<TuneReport>(tuneReport(found, run, exitCode))
  else printTuned(report, found, run)
  return exitCode
}

async function writeQuietly(journal: Journal, { report }: Context): Promise<void> {
  await journal.flush().catch(() => report.warning('the journal could not be written'))
}
