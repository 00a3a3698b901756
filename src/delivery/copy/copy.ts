/** `copy`: source → batches of one commit → validate → compare ids → deliver → verify. */

import type { RunMeta } from '../../contract/commit.js'
import { wasmHash64, type Hash64 } from '../../contract/hash64.js'
import { IngestError } from '../../errors.js'
import type { Delivery } from '../../source/delivery.js'
import type { Emit } from '../events.js'
import { fileDelivery } from '../read-files.js'
import { addTotals, totalReceipts, type Totals } from '../result.js'
import type { ReadableTarget } from '../stored-rows.js'
import { TargetConnections, type TargetConnection } from '../target-connection.js'
import type { Target } from '../target.js'
import { deliver } from '../deliver.js'
import { COPY_GENERATION, type CopyFilter, type CopySource, type OpenCopySource } from './copy-source.js'
import { prepareBatch, type IdMismatch, type PreparedBatch } from './prepare-batch.js'
import { readAhead } from './read-ahead.js'
import { verifyCopy, type CopyVerification } from './verify-copy.js'

/** Durable memory of how far a copy came. */
interface CopyPosition {
  read(): Promise<string | undefined>
  write(position: string): Promise<void>
  clear(): Promise<void>
}

export type CopyOptions = {
  readonly target: Target
  readonly filter: CopyFilter
  readonly run: RunMeta
  /** Writes records under their stored ids, also where those are not the ids of their dimensions. */
  readonly trustIds: boolean
  /** Leaves out what a target of an older contract version cannot hold. */
  readonly mayDowngrade: boolean
  /** Continues after a position, and writes it. Default: the copy starts at the beginning. */
  readonly position?: CopyPosition | undefined
  /** Reads the target's rows at the end, to compare them. Default: nothing is compared. */
  readonly openRows?: ReadableTarget['openRows'] | undefined
  readonly onEvent: Emit
  /** Called with each row whose stored id is not the id of its dimensions. */
  readonly onMismatch: (mismatch: IdMismatch) => void
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export type CopyResult = {
  readonly commits: number
  readonly totals: Totals
  /** Number of rows whose stored id is not the id of their dimensions. */
  readonly mismatched: number
  /** The position after which this copy continued an interrupted one. */
  readonly continuedAfter: string | undefined
  readonly verification: CopyVerification | undefined
}

/**
 * Copies commit by commit: each with all of its records or not at all.
 * @throws {IngestError} `bad_data` for a record that breaks the contract, and the failures of source and target
 */
export async function copy(source: CopySource, options: CopyOptions): Promise<CopyResult> {
  const connections = new TargetConnections({ emit: options.onEvent, signal: options.signal })
  try {
    const hash = await wasmHash64()
    const continuedAfter = await options.position?.read()
    return await source.read(options.filter, async opened => {
      const copying = new Copying(opened, {
        ...options,
        hash,
        continuedAfter,
        connection: connections.get(options.target),
      })
      const copied = await copying.run()
      // An embedded database can be open only once, and it is opened again to be read.
      await connections.close()
      const verification = await verifyCopy(opened, { ...options, hash })
      await options.position?.clear()
      return { ...copied, continuedAfter, verification }
    })
  } finally {
    await connections.close()
  }
}

type CopyingOptions = CopyOptions & {
  readonly hash: Hash64
  readonly continuedAfter: string | undefined
  readonly connection: TargetConnection
}

/** A position is written at most this often, because a state may be far away. */
const POSITION_EVERY_MS = 1_000

class Copying {
  #mismatched = 0
  #lastWrite: number
  readonly #commits = new Set<string>()
  #totals: Totals = totalReceipts([])

  constructor(
    private readonly opened: OpenCopySource,
    private readonly options: CopyingOptions,
  ) {
    this.#lastWrite = options.now()
  }

  async run(): Promise<Pick<CopyResult, 'commits' | 'totals' | 'mismatched'>> {
    const { connection, target, onEvent, now } = this.options
    const emit: Emit = event => {
      if (event.type === 'applied') this.#totals = addTotals(this.#totals, totalReceipts([event.receipt]))
      onEvent(event)
    }
    connection.prepare()
    onEvent({ type: 'expected', target, records: this.opened.records ?? 0 })
    let failure: { readonly error: unknown } | undefined
    await deliver(
      connection,
      {
        settings: async () => target.settings?.(undefined),
        deliver: async apply => {
          try {
            await this.#deliverAll(apply)
            return []
          } catch (error) {
            failure = { error }
            return [{ source: connection.target.name, error }]
          }
        },
      },
      { emit, now },
    )
    if (failure !== undefined) throw failure.error
    return { commits: this.#commits.size, totals: this.#totals, mismatched: this.#mismatched }
  }

  async #deliverAll(apply: (delivery: Delivery) => Promise<void>): Promise<void> {
    const { continuedAfter, position, now } = this.options
    let pending: string | undefined
    try {
      for await (const prepared of readAhead(this.#prepared(continuedAfter), ({ batch }) => batch.lines.release())) {
        const { batch } = prepared
        try {
          await this.#deliver(prepared, apply)
        } finally {
          await batch.lines.release()
        }
        this.#commits.add(batch.commit.sha)
        pending = batch.position ?? pending
        if (pending === undefined || now() - this.#lastWrite < POSITION_EVERY_MS) continue
        await position?.write(pending)
        this.#lastWrite = now()
        pending = undefined
      }
    } finally {
      if (pending !== undefined) await position?.write(pending)
    }
  }

  async *#prepared(after: string | undefined): AsyncGenerator<PreparedBatch> {
    const onMismatch = (mismatch: IdMismatch): void => {
      this.#mismatched++
      this.options.onMismatch(mismatch)
    }
    for await (const batch of this.opened.batches(after))
      yield await prepareBatch(batch, { ...this.options, onMismatch })
  }

  async #deliver(
    { batch, lines, ...prepared }: PreparedBatch,
    apply: (delivery: Delivery) => Promise<void>,
  ): Promise<void> {
    const { target, signal } = this.options
    const delivery = fileDelivery(lines, {
      ...{ ...this.options, ...prepared, commit: batch.commit, generation: COPY_GENERATION, signal },
    })
    for await (const { line, message } of target.opener.refuses?.(delivery) ?? [])
      throw new IngestError('bad_data', `${batch.placeOf(line)}: ${message}`)
    await apply(delivery)
  }
}
