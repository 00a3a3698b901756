/** Observes a command for its progress line on a terminal and for its `--verbose` log. */

import type { Environment } from '../../commit/ci.js'
import { isCi } from '../../config/environment.js'
import type { Emit } from '../../delivery/events.js'
import type { TerminalFlags } from '../options/flags.js'
import type { Context, Screen, Watch } from '../context.js'
import type { Progress } from './progress/progress.js'
import type { Report } from './report.js'
import { monotonicMs } from '../../monotonic-time.js'

/** Width that is assumed for a terminal that does not report one. */
const COLUMNS = 80

/** @returns undefined without a progress line and `--verbose`, so that observing costs nothing */
export async function watchCommand(
  flags: TerminalFlags,
  { report, screen, env }: Pick<Context, 'report' | 'screen' | 'env'>,
): Promise<Watch | undefined> {
  const progress = wantsProgress(flags, screen, env) ? await openProgress(report, screen) : undefined
  const log = flags.verbose === true ? await openLog(report) : undefined
  if (progress === undefined && log === undefined) return undefined
  return {
    ...(progress !== undefined && { reads: progress, meters: progress }),
    async deliveries(label) {
      const listeners = [log?.onDelivery, progress && (await deliveryProgress(progress, label))]
      return event => {
        for (const listener of listeners) listener?.(event)
      }
    },
    stop() {
      progress?.stop()
      log?.end()
    },
  }
}

function wantsProgress({ quiet, progress }: TerminalFlags, screen: Screen, env: Environment): boolean {
  return screen.isTTY === true && env['TERM'] !== 'dumb' && quiet !== true && progress !== false && !isCi(env)
}

/** Creates the progress line, whose code is loaded only on a terminal. */
async function openProgress(report: Report, screen: Screen): Promise<Progress> {
  const { Progress } = await import('./progress/progress.js')
  return new Progress({
    draw: line => report.passing(line),
    columns: () => screen.columns || COLUMNS,
    now: monotonicMs,
  })
}

async function deliveryProgress(progress: Progress, label: string | undefined): Promise<Emit> {
  const { DeliveryProgress } = await import('./progress/delivery-progress.js')
  const shown = new DeliveryProgress(progress, label)
  return event => shown.note(event)
}

async function openLog(report: Report): Promise<{ readonly onDelivery: Emit; readonly end: () => void }> {
  const { logDeliveries, logWire } = await import('./verbose-log.js')
  const log = (line: string): void => report.detail(line)
  return { onDelivery: logDeliveries(log), end: logWire(log) }
}
