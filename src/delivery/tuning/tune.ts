/** Runs trials one after the other until their number or the time budget is used up, or nothing is left to try. */

import { setTimeout } from 'node:timers/promises'
import type { Delivery, Receipt } from '../../source/delivery.js'
import type { Sink, SinkOpener } from '../../targets/sink.js'
import type { Tunable, WriteSettings } from '../../database/tunables.js'
import { type State, timestamp } from '../../state/state.js'
import { claimTrial, deleteTrial, readTrials, recordTrial, trialId, type Trial } from '../../state/trial.js'
import { contest } from './measure.js'
import { championOf, propose, type History } from './propose.js'
import { monotonicMs } from '../../monotonic-time.js'

export type TuneOptions = {
  /** Opens the target in a mode that rolls every delivery back. */
  readonly opener: SinkOpener
  readonly tunables: readonly Tunable[]
  /** The settings in force for the target. */
  readonly active: WriteSettings
  readonly delivery: Delivery
  readonly sample: Trial['sample']
  /** Limit of trials in this run. */
  readonly trials: number
  readonly budgetMs: number
  /** Limit over all runs on the target. */
  readonly maxTrialsPerHour: number
  /** Called after each trial. */
  readonly onTrial: (trial: Trial) => void
  /** Called after each delivery. */
  readonly onDelivery: () => void
  /** Called for each failed delivery, and when the target cannot be opened. */
  readonly onError: (error: unknown) => void
  readonly signal: AbortSignal
}

type Stopped = 'trials' | 'budget' | 'cool-down' | 'exhausted'

export type Tuned = {
  readonly trials: readonly Trial[]
  /** The settings to beat after this run. */
  readonly champion: WriteSettings
  readonly stopped: Stopped
  /** The earliest time of the next trial in milliseconds since 1970; undefined when it may begin at once. */
  readonly nextAt: number | undefined
  /** The receipt of the first delivery of the sample, which was rolled back. */
  readonly rehearsal: Receipt
}

const HOUR_MS = 3_600_000

/**
 * Tunes the write settings of a target. The failure of a single delivery counts against its trial.
 * @throws the error of the first delivery, or the last error of a trial in which every delivery failed
 */
export async function tune(state: State, options: TuneOptions): Promise<Tuned> {
  const sink = await tellFailure(options.opener.open(options.signal), options)
  try {
    return await new Tuning(state, sink, options).run()
  } finally {
    await sink.close()
  }
}

async function tellFailure<T>(work: Promise<T>, { onError, signal }: TuneOptions): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!signal.aborted) onError(error)
    throw error
  }
}

class Tuning {
  readonly #started = monotonicMs()
  readonly #trials: Trial[] = []
  #lastFailure: unknown

  constructor(
    private readonly state: State,
    private readonly sink: Sink,
    private readonly options: TuneOptions,
  ) {}

  async run(): Promise<Tuned> {
    const { delivery, active } = this.options
    // The first delivery on a connection is slow, so it is not measured. It also reveals problems of the target.
    const rehearsal = await tellFailure(
      this.sink.write(delivery, () => undefined, active),
      this.options,
    )
    for (;;) {
      const history = await this.#history()
      const ended = await this.#ended(history)
      const champion = championOf(history)
      const challenger = ended === undefined ? propose(history) : undefined
      if (challenger === undefined)
        return { trials: this.#trials, champion, rehearsal, nextAt: undefined, ...(ended ?? { stopped: 'exhausted' }) }
      await this.#try(challenger, champion)
    }
  }

  async #history(): Promise<History> {
    const { tunables, active, opener, sample } = this.options
    return { tunables, active, sample, trials: await readTrials(this.state.storage, opener.id) }
  }

  /** The reason to stop, or undefined to go on. Waits for the end of a cool-down if the budget allows it. */
  async #ended({ trials }: History): Promise<(Pick<Tuned, 'stopped'> & Partial<Pick<Tuned, 'nextAt'>>) | undefined> {
    if (this.#trials.length >= this.options.trials) return { stopped: 'trials' }
    if (this.#leftMs() <= 0) return { stopped: 'budget' }
    const nextAt = this.#nextAt(trials)
    const waitMs = nextAt - this.state.tools.now()
    if (waitMs <= 0) return undefined
    if (waitMs >= this.#leftMs()) return { stopped: 'cool-down', nextAt }
    await setTimeout(waitMs, undefined, { signal: this.options.signal })
    return undefined
  }

  /**
   * The earliest time of the next trial, in milliseconds since 1970: one hour after the oldest trial of a full hour.
   */
  #nextAt(trials: readonly Trial[]): number {
    const begun = trials.map(({ at }) => Date.parse(at)).sort((one, other) => one - other)
    const oldest = begun.at(-this.options.maxTrialsPerHour)
    return oldest === undefined ? -Infinity : oldest + HOUR_MS
  }

  #leftMs(): number {
    return this.options.budgetMs - (monotonicMs() - this.#started)
  }

  async #try(challenger: WriteSettings, champion: WriteSettings): Promise<void> {
    const { opener, sample, onTrial } = this.options
    const { id: target } = opener
    const claim = { id: trialId(target, challenger), at: timestamp(this.state), target, sample, champion }
    const begun: Trial = { ...claim, settings: challenger, result: undefined }
    // Another process has claimed these settings meanwhile. Its trial is part of the history from now on.
    if (!(await claimTrial(this.state, begun))) return
    try {
      const result = await contest({
        ...{ challenger, champion, records: sample.records },
        deliver: settings => this.#deliver(settings),
        isOver: () => this.#leftMs() <= 0,
      })
      if (result.challenger.deliveries + result.champion.deliveries === 0) throw this.#lastFailure
      const trial = { ...begun, result }
      await recordTrial(this.state, trial)
      this.#trials.push(trial)
      onTrial(trial)
    } catch (error) {
      await deleteTrial(this.state, begun).catch(() => undefined)
      throw error
    }
  }

  /**
   * Makes one delivery.
   * @returns its duration in milliseconds; undefined when it failed or was retried
   * @throws the signal's reason when aborted
   */
  async #deliver(settings: WriteSettings): Promise<number | undefined> {
    const { delivery, signal, onDelivery, onError } = this.options
    const started = monotonicMs()
    const failures: unknown[] = []
    try {
      await this.sink.write(delivery, ({ error }) => failures.push(error), settings)
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error)
    }
    for (const error of failures) onError(error)
    onDelivery()
    this.#lastFailure = failures.at(-1) ?? this.#lastFailure
    // The duration of a retried delivery is not comparable, because lost connections and conflicts do not depend on the
    // settings.
    return failures.length === 0 ? monotonicMs() - started : undefined
  }
}
