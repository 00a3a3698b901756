/** Finds variables that look like settings of this program but set nothing, such as VORTEX_INGEST_POSTGRESS. */

import type { Environment } from '../../commit/ci.js'
import { ENV_PREFIX, PII_KEY_VARIABLE } from '../../config/environment.js'
import { nearest } from '../../nearest.js'
import type { AllCommands } from '../context.js'
import { withSubcommands } from './command-tree.js'

/** Variables of this prefix that are read although no flag has them. */
const OTHERS = [`${ENV_PREFIX}OPERATOR_TOKEN`, PII_KEY_VARIABLE, `${ENV_PREFIX}TEST_FAIL_POINT`]

/**
 * One message for each unknown variable, without its value.
 * @param values the values of all flags. A variable that one of them names, such as that of `--token-env`, is known
 * @param all builds the program with every command, because a variable may set a flag of another command
 */
export async function unknownVariables(
  env: Environment,
  values: readonly unknown[],
  all: AllCommands,
): Promise<readonly string[]> {
  const names = Object.keys(env)
    .sort()
    .filter(name => name.startsWith(ENV_PREFIX) && !OTHERS.includes(name))
  if (names.length === 0) return []
  const known = withSubcommands(await all()).flatMap(({ options }) => options.map(({ envVar }) => envVar ?? ''))
  return names
    .filter(name => !known.includes(name) && !values.includes(name))
    .map(name => {
      const meant = nearest(
        name.slice(ENV_PREFIX.length),
        known.map(other => other.slice(ENV_PREFIX.length)),
      )
      const question = meant === undefined ? '' : ` (Did you mean ${ENV_PREFIX}${meant}?)`
      return `the environment variable ${name} sets nothing${question}`
    })
}
