/** Publishes a comparison in CI: a comment, a check, annotations of the run and its summary. */

import { isRegression } from '../../../analysis/judge.js'
import type { CompareResult } from '../../../delivery/compare.js'
import { EXIT } from '../../../errors.js'
import type { Conclusion } from '../../../hosting/check.js'
import type { Published } from '../../../hosting/publish.js'
import { redact } from '../../../redact.js'
import type { Context } from '../../context.js'
import { cutTo } from '../../output/github/markdown.js'
import { TITLE, type PublishFlags } from './publish-flags.js'
import { changeLines } from './rows.js'
import { markdownOf } from './markdown.js'
import { comparedNamer, headline, ratioText, seriesOf } from './words.js'

/** Maximum size of a comment or summary. GitHub accepts 65,535 characters. */
const MAX_BYTES = 60_000

type Judged = {
  readonly result: CompareResult
  readonly exitCode: number
  /** Whether the Markdown is printed already, so that the user decides where it goes. */
  readonly isPrinted: boolean
}

/** A failure to publish is a warning and does not change the exit code. */
export async function publishComparison(judged: Judged, flags: PublishFlags, context: Context): Promise<void> {
  const { title = TITLE, comment = false, check = false, annotate = false } = flags
  const { result, exitCode, isPrinted } = judged
  const { good, word, rest } = headline(result)
  const line = redact(`${word} ${rest}`)
  if (exitCode !== EXIT.done) context.report.annotator?.add('error', line)
  if (annotate) annotateRegressions(judged, context)
  const markdown = redact(markdownOf(result, false))
  if (!isPrinted)
    context.ci?.setSummary({
      summary: `### ${title}\n\n${markdown}`,
      outputs: { regressions: result.changes.filter(isRegression).length },
    })
  if (!comment && !check) return
  const { publish } = await import('../../../hosting/publish.js')
  const conclusion = conclusionOf(exitCode, good)
  const text = { title, headline: line, markdown: cutTo(markdown, MAX_BYTES), conclusion, sha: result.head.sha }
  reportPublished(await publish({ ...text, comment, check }, context), context)
}

/** Without `--fail-on`, a regression is shown but does not fail the check. */
function conclusionOf(exitCode: number, good: boolean): Conclusion {
  if (exitCode === EXIT.done) return good ? 'success' : 'neutral'
  return exitCode === EXIT.inconclusive ? 'neutral' : 'failure'
}

function annotateRegressions({ result, exitCode }: Judged, { report }: Context): void {
  if (report.annotator === undefined) return report.note('--annotate has no effect outside GitHub Actions')
  const name = comparedNamer(result)
  const { shown, hidden } = changeLines({ ...result, changes: result.changes.filter(isRegression) }, false)
  const level = exitCode === EXIT.done ? 'warning' : 'error'
  for (const change of shown)
    report.annotator.add(level, `${change.verdict} ${ratioText(change.ratio)}: ${name(seriesOf(change))}`)
  if (hidden > 0) report.annotator.more(level, hidden)
}

function reportPublished(published: readonly Published[], context: Context): void {
  for (const { what, status, detail, error } of published) {
    if (status === 'failed') context.report.tolerated(error, `no ${what} was made`)
    else context.report.note(status === 'done' ? `${what}: ${detail}` : `no ${what} was made: ${detail}`)
  }
}
