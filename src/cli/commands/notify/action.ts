/** `notify`: posts new regressions to a webhook. */

import { parseWebhook, postWebhook } from '../../../http/webhook.js'
import type { NotifyReport } from '../../../reports/changes.js'
import { isNewRegression } from '../../../delivery/found-changes.js'
import type { ChangesResult } from '../../../delivery/changes.js'
import { EXIT } from '../../../errors.js'
import { redact } from '../../../redact.js'
import type { Action, Format } from '../../context.js'
import { plural } from '../../output/report.js'
import { findChanges, type SelectionFlags } from '../changes/action.js'
import { changesReport } from '../changes/json.js'
import { changesNamer, commitText } from '../changes/words.js'
import { ratioText } from '../compare/words.js'

export type NotifyFlags = SelectionFlags & { readonly webhook: string; readonly format: Format }

export const runNotify: Action<NotifyFlags> = async (_, flags, context) => {
  const { report } = context
  const url = parseWebhook(flags.webhook)
  const result = onlyNew(await findChanges(flags, context))
  const changes = result.commits.reduce((sum, commit) => sum + commit.changes.length, 0)
  if (changes > 0) await postWebhook(url, { text: slackText(result), ...changesReport(result, EXIT.done) }, context)
  if (flags.format === 'json')
    report.json<NotifyReport>({ command: 'notify', exit_code: EXIT.done, posted: changes > 0, changes })
  else if (changes === 0) report.verdict(true, 'nothing posted:', `no new regression in ${result.target}`)
  else
    report.verdict(
      true,
      'posted',
      `${plural(changes, 'new regression')} of ${plural(result.commits.length, 'commit')} to ${url.host}`,
    )
  return EXIT.done
}

function onlyNew(result: ChangesResult): ChangesResult {
  const commits = result.commits.map(found => ({ ...found, changes: found.changes.filter(isNewRegression) }))
  return { ...result, commits: commits.filter(({ changes }) => changes.length > 0) }
}

const MAX_COMMITS = 10
const MAX_SERIES = 5

/** A message in Slack's markup: one paragraph per commit, with its largest changes. */
function slackText(result: ChangesResult): string {
  const name = changesNamer(result)
  const title = `*${plural(result.commits.length, 'commit')} made benchmarks slower or larger* in ${escaped(result.target)}`
  const paragraphs = result.commits.slice(0, MAX_COMMITS).map(({ commit, changes }) => {
    const lines = changes
      .slice(0, MAX_SERIES)
      .map(change => `• ${change.verdict} ${ratioText(change.ratio)}: ${escaped(name(change))}`)
    return [
      `*${escaped(commitText(commit))}*`,
      ...lines,
      ...moreLine(changes.length - lines.length, 'series', 'series'),
    ].join('\n')
  })
  return [title, ...paragraphs, ...moreLine(result.commits.length - paragraphs.length, 'commit')].join('\n\n')
}

function moreLine(hidden: number, noun: string, nouns?: string): readonly string[] {
  return hidden > 0
    ? [`… and ${plural(hidden, `more ${noun}`, nouns === undefined ? undefined : `more ${nouns}`)}`]
    : []
}

/** Escapes Slack's markup, so that a subject of a commit can neither mention anybody nor hide a link. */
function escaped(text: string): string {
  return redact(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
