/** Observes a command for its progress line on a terminal and for its `--verbose` log. */

import type { Environment } from '../../commit/ci.js'
import { isCi } from '../../config/environment.js'
import type { Target } from '../../delivery/opening.js'
import type { Context, Screen, Watch } from '../context.js'
import type { Meters } from './progress/meter.js'
import type { Report } from './report.js'
import type { TerminalFlags } from '../options/flags.js'

/** Width that is assumed for a terminal that does not report one. */
const COLUMNS = 80

/** @returns undefined without a progress line and `--verbose`, so that observing costs nothing */
export async function watchOf(
  flags: TerminalFlags,
  { report, screen, env }: Pick<Context, 'report' | 'screen' | 'env'>,
): Promise<Watch | undefined> {
  const progress = wantsProgress(flags, screen, env) ? await openProgress(report, screen) : undefined
  const details = flags.verbose === true ? await openDetails(report) : undefined
  if (progress === undefined && details === undefined) return undefined
  return {
    ...(progress !== undefined && { reads: progress.progress, meters: progress.progress }),
    targets: (targets, meters = progress?.progress) =>
      targets.map(details?.watchTarget ?? same).map(target => progress?.watchTarget(target, meters) ?? target),
    stop() {
      progress?.progress.stop()
      details?.end()
    },
  }
}

const same = (target: Target): Target => target

function wantsProgress({ quiet, progress }: TerminalFlags, screen: Screen, env: Environment): boolean {
  return screen.isTTY === true && env['TERM'] !== 'dumb' && quiet !== true && progress !== false && !isCi(env)
}

/** Creates the progress line, whose code is loaded only on a terminal. */
async function openProgress(report: Report, screen: Screen) {
  const [{ Progress }, { watchedTarget }] = await Promise.all([
    import('./progress/progress.js'),
    import('./progress/watched-target.js'),
  ])
  const progress = new Progress({
    draw: line => report.passing(line),
    columns: () => screen.columns || COLUMNS,
    now: () => performance.now(),
  })
  return { progress, watchTarget: (target: Target, meters: Meters = progress) => watchedTarget(target, meters) }
}

async function openDetails(report: Report) {
  const [{ tellWire }, { toldTarget }] = await Promise.all([
    import('./verbose/tell-wire.js'),
    import('./verbose/told-target.js'),
  ])
  const tell = (line: string): void => report.detail(line)
  return { end: tellWire(tell), watchTarget: (target: Target) => toldTarget(target, tell) }
}
