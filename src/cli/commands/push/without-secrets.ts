/** A push in a CI run without secrets. It fails, or with `--no-secrets skip` it is skipped; both are reported. */

import { runMeta, detectCi } from '../../../commit/ci.js'
import type { MissingSecrets } from '../../../targets/secrets.js'
import { EXIT, IngestError } from '../../../errors.js'
import type { Context, Format } from '../../context.js'
import { Notes } from '../../output/notes.js'
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
  ci?.tell({ summary, outputs: { inserted: 0, updated: 0, rejected: 0, commit: '' } })
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
  return pushReport({
    pushed: { inspections: [], commitSha: undefined, commit: undefined, outcomes: [] },
    notes: new Notes(),
    run: runMeta({ benchmarkId: undefined, ci: detectCi(env), now }),
    dryRun: false,
    verdict: { exitCode: EXIT.done, required: new Set(), forgiven: false },
    refreshed: undefined,
    explained: undefined,
    durationMs: 0,
  })
}
