/** Checks the program, its runtime and its configuration. */

import { tmpdir } from 'node:os'
import { access, constants, stat } from 'node:fs/promises'
import { detectCi, type Environment } from '../../../commit/ci.js'
import { assertTargetNamed } from '../../../targets/kinds.js'
import { listSettings, type GivenFlags } from '../../../targets/settings.js'
import { SCHEMA_VERSION } from '../../../contract/kinds.js'
import { messageOf } from '../../../errors.js'
import { fail, known, ok, tolerated, warn, type Check, type CheckGroup, type Finding } from '../../../doctor/finding.js'
import { checkFreeSpace, checkWritable } from '../../../doctor/folder.js'

export function programGroup(version: string, env: Environment): CheckGroup {
  const { version: node, platform, arch } = process
  return {
    name: 'program',
    target: undefined,
    checks: [
      known('version', ok(`vortex-ingest ${version}, contract version ${SCHEMA_VERSION}`)),
      known('node', ok(`Node ${node} on ${platform} ${arch}`)),
      known('ci', ok(detectCi(env)?.name ?? 'not in CI')),
      temporaryCheck(tmpdir()),
    ],
  }
}

/** Checks the temporary folder, where input from pipes is stored. Named files are read in place. */
function temporaryCheck(folder: string): Check {
  const run: Check['run'] = async () => {
    await stat(folder)
    const found = await checkWritable(folder, [])
    return [found.status === 'ok' ? await checkFreeSpace(folder, 0) : found]
  }
  return tolerated({ name: 'tmp', run }, 'set TMPDIR to a folder that works: records from a pipe are kept there')
}

export async function configurationGroup(given: GivenFlags): Promise<CheckGroup> {
  const settings = (await listSettings(given)).map(({ name, value, origin }) => known(name, ok(`${value} (${origin})`)))
  return {
    name: 'configuration',
    target: undefined,
    checks: [targetCheck(given), ...settings, ...authorityChecks(given.env)],
  }
}

function targetCheck({ flags, env }: GivenFlags): Check {
  const run: Check['run'] = async () => {
    assertTargetNamed(flags, env)
    return []
  }
  return { name: 'target', run }
}

function authorityChecks(env: Environment): readonly Check[] {
  const what = 'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified; S3 and AWS refuse to start'
  const refused = warn(what, 'unset it')
  return [
    ...(env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0' ? [known('tls', refused)] : []),
    { name: 'authorities', run: () => unreadable(env) },
  ]
}

/** Reports unreadable authority files, because Node ignores an unreadable NODE_EXTRA_CA_CERTS with only a warning. */
async function unreadable(env: Environment): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const name of ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS']) {
    const file = env[name]
    if (!file) continue
    await access(file, constants.R_OK).catch((error: unknown) => {
      findings.push(
        fail('config_invalid', `${name}: ${messageOf(error)}`, 'name a PEM file that can be read, or unset it'),
      )
    })
  }
  return findings
}
