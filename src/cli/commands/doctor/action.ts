/**
 * `doctor`: checks configuration and connectivity for a push with the same flags and environment. Its output contains no
 * secrets.
 */

import { readFile } from 'node:fs/promises'
import type { TargetFlags } from '../../../targets/kinds.js'
import type { Action, Format } from '../../context.js'
import { printExamined } from './human.js'
import { packageFile } from '../../../package-file.js'

type DoctorFlags = TargetFlags & { readonly format: Format }

/** Only reads: neither local files nor targets are changed. */
export const doctor: Action<DoctorFlags> = async (_args, flags, { env, now, origins, report, signal }) => {
  // Loaded here because no other command needs the checks.
  const { diagnose } = await import('./diagnose.js')
  const { version } = JSON.parse(await readFile(packageFile('package.json'), 'utf8')) as { version: string }
  const diagnosis = await diagnose({ flags, origins, env }, { version, now, signal })
  printExamined(report, diagnosis, flags.format)
  return diagnosis.exitCode
}
