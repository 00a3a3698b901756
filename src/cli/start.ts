/** Entry of the built program. It answers `--version` by itself and loads the command line for everything else. */

import { EXIT, systemCodeOf } from '../errors.js'
import { packageVersion } from '../package-file.js'
import type { World } from './main.js'

/** @returns the exit code; never throws */
export async function start(world: World): Promise<number> {
  const [first, ...others] = world.argv.slice(2)
  if ((first === '--version' || first === '-V') && others.length === 0) return printVersion(world)
  const { main } = await import('./main.js')
  return main(world)
}

function printVersion({ stdout }: World): Promise<number> {
  return new Promise(done => {
    // The callback below gets the same error. Without a listener it would end the process.
    stdout.on('error', () => undefined)
    stdout.write(`${packageVersion()}\n`, error => done(exitCodeAfter(error)))
  })
}

/** A reader that closed its end early, as `| head` does, is no failure. */
function exitCodeAfter(error: unknown): number {
  return error === null || error === undefined || systemCodeOf(error) === 'EPIPE' ? EXIT.done : EXIT.internal
}
