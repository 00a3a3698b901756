/** `convert`: writes the benchmarks of other tools as records. */

import { once } from 'node:events'
import ndjson from 'ndjson'
import { detectCi } from '../../../commit/ci.js'
import { readCommitFile } from '../../../commit/commit-file.js'
import { lookUpCommit } from '../../../commit/git.js'
import { isFullSha } from '../../../contract/commit.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { quote } from '../../../contract/problem.js'
import { convert, type PlainRecord } from '../../../convert/convert.js'
import { EXIT, IngestError, messageOf } from '../../../errors.js'
import { redact } from '../../../redact.js'
import type { OtherToolName } from '../../../source/other-tools.js'
import type { Action, Context } from '../../context.js'
import { OutputFile } from '../../output/output-file.js'
import { plural } from '../../output/report.js'

export type ConvertFlags = {
  readonly from?: OtherToolName
  readonly map?: string
  readonly commit?: string
  readonly output?: string
}

export const runConvert: Action<ConvertFlags> = async (args, { output, ...flags }, context) => {
  const { stdin, signal, watch, report } = context
  const records = convert(args, {
    ...{ stdin, signal, watch: watch?.reads, from: flags.from, map: flags.map },
    commitSha: commitFinder(flags.commit, context),
    hash: await wasmHash64(),
    warn: message => report.warning(message),
  })
  await (output === undefined ? writeToStdout(records, context) : writeToFile(output, records, { args, context }))
  return EXIT.done
}

type ToFile = { readonly args: readonly string[]; readonly context: Context }

async function writeToFile(output: string, records: AsyncIterable<PlainRecord>, { args, context }: ToFile) {
  const file = new OutputFile(output, { what: 'the records', inputs: args, failureCode: 'storage_failed' })
  try {
    const written = await write(records, file, context.signal)
    file.publish()
    context.report.verdict(true, 'converted', `${plural(written, 'benchmark')} to ${output}`)
  } finally {
    file.discard()
  }
}

/**
 * An error ends the output with a line that is no record, because a program at the other end of a pipe takes the end of the output
 * for success. A push there rejects all of it.
 */
async function writeToStdout(records: AsyncIterable<PlainRecord>, { report, signal, columns }: Context): Promise<void> {
  try {
    await write(records, report, signal)
  } catch (error) {
    const isTerminal = columns !== undefined
    if (!isTerminal)
      report.raw(Buffer.from(`${JSON.stringify({ error: `convert failed: ${redact(messageOf(error))}` })}\n`))
    throw error
  }
}

type Destination = { raw(bytes: Uint8Array): void; readonly closed?: boolean }

/** @returns the number of records */
async function write(records: AsyncIterable<PlainRecord>, to: Destination, signal: AbortSignal): Promise<number> {
  const lines = ndjson.stringify()
  lines.on('data', (line: string) => to.raw(Buffer.from(line)))
  let written = 0
  try {
    for await (const record of records) {
      signal.throwIfAborted()
      // The reader closed the pipe, as in `convert … | head`: not an error.
      if (to.closed === true) break
      if (!lines.write(record)) await once(lines, 'drain')
      written++
    }
  } finally {
    lines.end()
    await once(lines, 'end')
  }
  return written
}

/** Returns the commit that `--commit` names, otherwise the one that the tool states, otherwise that of git or CI. */
function commitFinder(named: string | undefined, context: Context): (stated: string | undefined) => Promise<string> {
  let ours: Promise<string> | undefined
  return stated => {
    if (named === undefined && stated !== undefined) return Promise.resolve(stated)
    return (ours ??= named === undefined ? currentCommit(context) : namedCommit(named))
  }
}

async function namedCommit(named: string): Promise<string> {
  if (isFullSha(named)) return named
  if (!/^[0-9a-f]{4,40}$/i.test(named)) return (await readCommitFile(named)).sha
  const hint = 'give 40 lowercase hex digits, as `git rev-parse COMMIT` prints them'
  throw new IngestError('usage', `--commit ${quote(named)} is not a full commit id`, { hint })
}

async function currentCommit({ env, signal }: Context): Promise<string> {
  // The checked out commit was measured. In a pull request, CI may name another one.
  const sha = (await lookUpCommit('HEAD', { gitDir: undefined, env, signal })) ?? detectCi(env)?.sha
  if (sha !== undefined) return sha
  throw new IngestError(
    'commit_unknown',
    'the commit that was measured is unknown: there is no git repository and no CI run',
    {
      hint: 'name it: --commit SHA',
    },
  )
}
