/** A push in a CI run without secrets. It fails, or with `--no-secrets skip` it is skipped; both are reported. */

import { runMeta, detectCi } from '../../../commit/ci.js'
import type { MissingSecrets } from '../../../targets/secrets.js'
import { ResultReducer } from '../../../delivery/result.js'
import { EXIT, IngestError } from '../../../errors.js'
import type { Context, Format } from '../../context.js'
import { pushReport } from './report.js'
import type { PushReport } from '../../../reports/delivery.js'

type SkipFlags = { readonly secrets?: 'skip' | 'fail'; readonly format: Format }

/** @throws {IngestError} `auth_failed` without `--no-secrets skip` */
export function pushWithoutSecrets(missing: MissingSecrets, flags: SkipFlags, context: Context): number {
  const why = reasonOf(missing)
  if (flags.secrets !== 'skip') {
    const hint = '--no-secrets skip ends such a run in 0 and sends nothing; validate needs no secret'
    throw new IngestError('auth_failed', `nothing was sent: ${why}`, { hint })
  }
  const { report, reportFile, ci } = context
  const document = { ...emptyReport(context), skipped: why }
  if (flags.format === 'json') report.json<PushReport>(document)
  else report.verdict(true, 'skipped:', `nothing was sent, ${why}`)
  reportFile?.json<PushReport>(document)
  report.warning(`nothing was sent: ${why} (--no-secrets skip)`)
  const summary = `### ⚠️ vortex-ingest push: nothing was sent\n\n${why}`
  ci?.setSummary({ summary, outputs: { inserted: 0, updated: 0, accepted: 0, rejected: 0, commit: '' } })
  return EXIT.done
}

function reasonOf({ names, isFork }: MissingSecrets): string {
  const empty = `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} empty`
  return isFork
    ? `this run is of a fork's pull request, which gets no secrets (${empty})`
    : `this run was given no secrets (${empty}), as pull requests of forks and bots are not`
}

/** The report of a push that did nothing. */
function emptyReport({ env, now }: Context): PushReport {
  const { notes, ...nothing } = new ResultReducer({ hasOutbox: false }).result()
  const run = runMeta({ benchmarkId: undefined, ci: detectCi(env), now })
  const intake = { inspections: [], commitSha: undefined, commit: undefined }
  const result = { ...intake, ...nothing, notes, run, dryRun: false, explained: undefined, maxRejections: undefined }
  return pushReport({ result, refreshed: undefined })
}
