/** Wraps a target so that it logs its opening, its deliveries and its retries. */

import type { Target } from '../../../delivery/opening.js'
import { messageOf } from '../../../errors.js'
import type { Retry } from '../../../http/retry.js'
import type { Sink, SinkOpener } from '../../../targets/sink.js'
import { milliseconds, type Tell } from './tell.js'

export function toldTarget(target: Target, tell: Tell): Target {
  return { ...target, opener: toldOpener(target.opener, target.name, tell) }
}

function toldOpener(opener: SinkOpener, name: string, tell: Tell): SinkOpener {
  return {
    ...opener,
    async open(signal) {
      const started = performance.now()
      const sink = await opener.open(signal)
      tell(`${name}: opened in ${milliseconds(performance.now() - started)}`)
      return { write: (...params) => write(sink, params, { name, tell }), close: () => sink.close() }
    },
  }
}

type Told = { readonly name: string; readonly tell: Tell }

async function write(
  sink: Sink,
  [delivery, onRetry, settings]: Parameters<Sink['write']>,
  { name, tell }: Told,
): ReturnType<Sink['write']> {
  const started = performance.now()
  const tellRetry = (retry: Retry): void => {
    tell(`${name}: trying ${delivery.source} again: ${messageOf(retry.error)}`)
    onRetry(retry)
  }
  const receipt = await sink.write(delivery, tellRetry, settings)
  const numbers = `${receipt.records} records, ${receipt.inserted} inserted, ${receipt.updated} updated`
  tell(`${name}: ${delivery.source} in ${milliseconds(performance.now() - started)}: ${numbers}`)
  return receipt
}
