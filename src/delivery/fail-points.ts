/** Injects faults for crash and failure tests. Not even loaded unless an environment variable names a fail point. */

import { appendFileSync } from 'node:fs'
import { IngestError } from '../errors.js'
import type { Sink, SinkOpener } from '../targets/sink.js'
import type { Storage } from '../storage/storage.js'

/**
 * `fail`: fails before the operation.
 * `kill-before` and `kill-after`: kill the process before or after the operation.
 * `lose-answer`: performs the operation, then reports failure.
 * `stop`: stops the process until SIGCONT, then performs the operation.
 */
const FAULTS = ['fail', 'kill-before', 'kill-after', 'lose-answer', 'stop'] as const
type Fault = (typeof FAULTS)[number]

/**
 * `AREA.OPERATION[#N]=FAULT`: the fault hits the Nth such operation, by default the first. `any.step` matches every
 * operation.
 */
export type FailPoint = { readonly place: string; readonly nth: number; readonly fault: Fault }

/**
 * `trace=FILE`: injects nothing and appends each operation to the file, one per line, so that a test can enumerate
 * them.
 */
export type Trace = { readonly file: string }

/**
 * Parses a fail point.
 * @throws {IngestError} `config_invalid` when the text names none
 */
export function parseFailPoint(text: string): FailPoint | Trace {
  if (text.startsWith('trace=')) return { file: text.slice('trace='.length) }
  const [, place = '', nth = '1', fault = ''] = /^([a-z-]+\.[a-z]+)(?:#(\d+))?=([a-z-]+)$/.exec(text) ?? []
  const known = FAULTS.find(one => one === fault)
  if (known === undefined) throw new IngestError('config_invalid', `no fail point: ${text}`)
  return { place, nth: Number(nth), fault: known }
}

/** Wraps storage and sinks with a fail point. Counts the matching operations of this process. */
export class FailPoints {
  #seen = 0

  constructor(private readonly point: FailPoint | Trace) {}

  /**
   * Wraps a storage. Areas: `lines`, `head`, `outbox`, `watermark`, `intent`, `audit`, `target`; operations: `get`,
   * `put`, `list`, `delete`.
   */
  storage(inner: Storage): Storage {
    const at = <T>(operation: string, key: string, work: () => Promise<T>): Promise<T> =>
      this.#at(`${areaOf(key)}.${operation}`, work)
    return {
      description: inner.description,
      get: key => at('get', key, () => inner.get(key)),
      getVersioned: key => at('get', key, () => inner.getVersioned(key)),
      put: (key, body) => at('put', key, () => inner.put(key, body)),
      putIfAbsent: (key, body) => at('put', key, () => inner.putIfAbsent(key, body)),
      putIfMatch: (key, body, version) => at('put', key, () => inner.putIfMatch(key, body, version)),
      list: (prefix, options) => at('list', prefix, () => inner.list(prefix, options)),
      delete: key => at('delete', key, () => inner.delete(key)),
      deletePrefix: prefix => at('delete', prefix, () => inner.deletePrefix(prefix)),
      close: () => inner.close(),
    }
  }

  /** Wraps a target. The area is the target's kind; operations: `open`, `write`. */
  opener(kind: string, inner: SinkOpener): SinkOpener {
    return {
      ...inner,
      open: signal =>
        this.#at(
          `${kind}.open`,
          () => this.#sink(kind, inner, signal),
          sink => sink.close(),
        ),
    }
  }

  async #sink(kind: string, inner: SinkOpener, signal: AbortSignal): Promise<Sink> {
    const sink = await inner.open(signal)
    return {
      write: (delivery, onRetry, settings) => this.#at(`${kind}.write`, () => sink.write(delivery, onRetry, settings)),
      close: () => sink.close(),
    }
  }

  /**
   * @param discard releases the result of an operation that is reported as failed, because an open connection would
   * keep the process
   * running
   */
  async #at<T>(place: string, work: () => Promise<T>, discard?: (result: T) => Promise<unknown>): Promise<T> {
    const { point } = this
    if ('file' in point) {
      appendFileSync(point.file, `${place}\n`)
      return work()
    }
    if (![place, 'any.step'].includes(point.place) || ++this.#seen !== point.nth) return work()
    if (point.fault === 'fail') throw failed(place)
    if (point.fault === 'kill-before') return die()
    if (point.fault === 'stop') process.kill(process.pid, 'SIGSTOP')
    const result = await work()
    if (point.fault === 'kill-after') return die()
    if (point.fault === 'lose-answer') {
      await discard?.(result)
      throw failed(place)
    }
    return result
  }
}

function failed(place: string): IngestError {
  const isSink = /\.(?:open|write)$/.test(place)
  return new IngestError(isSink ? 'target_unreachable' : 'storage_failed', `failed on purpose at ${place}`)
}

/** Kills the process; the promise never settles. */
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
}

function areaOf(key: string): string {
  const [first = '', , third] = key.split('/')
  if (first !== 'outbox') return first.replace(/s$/, '')
  return third === undefined || third === '' ? 'outbox' : third
}
