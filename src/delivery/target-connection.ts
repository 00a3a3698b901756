/** The connection to a target during one command: opened in the background or on demand, and always closed. */

import type { Sink } from '../targets/sink.js'
import type { Emit } from './events.js'
import type { Target } from './target.js'
import { monotonicMs } from '../monotonic-time.js'

export type ConnectionOptions = { readonly emit: Emit; readonly signal: AbortSignal }

export class TargetConnection {
  readonly #options: ConnectionOptions
  #target: Target
  #abandon = new AbortController()
  #opened: Promise<Sink> | undefined
  #isWanted = false
  #isRemoved = false

  constructor(target: Target, options: ConnectionOptions) {
    this.#target = target
    this.#options = options
    const { signal } = options
    if (signal.aborted) this.#abandon.abort(signal.reason)
    signal.addEventListener('abort', () => this.#abandon.abort(signal.reason), { once: true })
  }

  get target(): Target {
    return this.#target
  }

  /** True once an operator has removed the target from the registry. */
  get isRemoved(): boolean {
    return this.#isRemoved
  }

  /** Begins to open a target that opens early, because opening mostly waits for the network. */
  prepare(): void {
    if (this.#target.opener.opensEarly) void this.#open()
  }

  /** The sink. Opens it unless it is already being opened. */
  sink(): Promise<Sink> {
    this.#isWanted = true
    return this.#open()
  }

  /** Notes that the target was removed from the registry, so that nothing more is delivered to it. */
  remove(): void {
    if (!this.#isRemoved) this.#options.emit({ type: 'removed', target: this.#target })
    this.#isRemoved = true
  }

  /** Continues with another registration of the target, which is opened again, for example with a new token. */
  async replace(target: Target): Promise<void> {
    await this.close()
    this.#target = target
    this.#abandon = new AbortController()
    const { signal } = this.#options
    if (signal.aborted) this.#abandon.abort(signal.reason)
  }

  /**
   * Closes the sink. If nobody asked for it, opening is aborted, because bad input must not wait for an unreachable
   * target.
   */
  async close(): Promise<void> {
    if (!this.#isWanted) this.#abandon.abort()
    const opened = this.#opened
    this.#opened = undefined
    await opened?.then(sink => sink.close()).catch(() => undefined)
  }

  #open(): Promise<Sink> {
    if (this.#opened === undefined) {
      this.#opened = this.#openTimed()
      // Reported to the caller of `sink()`; until then the rejection must not count as unhandled.
      this.#opened.catch(() => undefined)
    }
    return this.#opened
  }

  async #openTimed(): Promise<Sink> {
    const started = monotonicMs()
    const sink = await this.#target.opener.open(this.#abandon.signal)
    this.#options.emit({ type: 'opened', target: this.#target, durationMs: monotonicMs() - started })
    return sink
  }
}

/** The connections of one command, one for each registration of a target. */
export class TargetConnections {
  readonly #connections: TargetConnection[] = []

  constructor(private readonly options: ConnectionOptions) {}

  /** Begins to open those targets that open early. */
  prepare(targets: readonly Target[]): void {
    for (const target of targets) this.get(target).prepare()
  }

  /** The connection to a target. A target that was removed or registered again gets a new connection. */
  get(target: Target): TargetConnection {
    const found = this.#connections.find(
      connection => !connection.isRemoved && isSameRegistration(connection.target, target),
    )
    if (found !== undefined) return found
    const connection = new TargetConnection(target, this.options)
    this.#connections.push(connection)
    return connection
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map(connection => connection.close()))
  }
}

/** Whether two targets are the same place with the same registration. */
export function isSameRegistration(one: Target, other: Target): boolean {
  return (
    one.opener.id === other.opener.id &&
    one.name === other.name &&
    one.registered?.addedAt === other.registered?.addedAt
  )
}
