/** `buckets get` and `buckets put`: read and write one object of a bucket. */

import { readFile } from 'node:fs/promises'
import { requiredStateConfig } from '../../../config/state.js'
import { openJournal } from '../../../delivery/durable/delivery-journal.js'
import { EXIT, IngestError, messageOf } from '../../../errors.js'
import { getObject, putObject } from '../../../state/bucket-objects.js'
import type { Journal } from '../../../state/journal.js'
import type { State } from '../../../state/state.js'
import type { Context } from '../../context.js'
import { withState, type RegistryAction, type RegistryFlags } from '../state/with-state.js'
import type { BucketsGetReport, BucketsPutReport } from '../../../reports/state.js'

export const getObjectCommand: RegistryAction = ([bucket = '', key = ''], flags, context) =>
  withJournal('buckets get', flags, context, async (state, journal) => {
    const { report } = context
    const { body, asked, answered, rescued } = await getObject(state, { bucket, key, journal })
    if (rescued) report.warning(`the bucket ${asked} did not answer; ${answered} did`)
    if (flags.format === 'json') {
      const object = { key, bytes: body.length, body: body.toString('base64') }
      report.json<BucketsGetReport>({
        command: 'buckets get',
        exit_code: EXIT.done,
        asked,
        answered,
        rescued,
        ...object,
      })
    } else report.raw(body)
    return EXIT.done
  })

export const putObjectCommand: RegistryAction = ([bucket = '', key = '', file = ''], flags, context) =>
  withJournal('buckets put', flags, context, async (state, journal) => {
    const { report } = context
    const body = await readInput(file)
    await putObject(state, { bucket, key, journal }, body)
    if (flags.format === 'json')
      report.json<BucketsPutReport>({ command: 'buckets put', exit_code: EXIT.done, bucket, key, bytes: body.length })
    else report.verdict(true, 'stored', `${key} in the bucket ${bucket} (${body.length} bytes)`)
    return EXIT.done
  })

/** Runs `work` and writes failures of buckets to the journal, even if `work` fails. A journal that cannot be written is a warning. */
async function withJournal(
  command: string,
  flags: RegistryFlags,
  context: Context,
  work: (state: State, journal: Journal) => Promise<number>,
): Promise<number> {
  return withState(requiredStateConfig(flags, context.env), context, async state => {
    const journal = openJournal(state, command)
    try {
      return await work(state, journal)
    } finally {
      await journal.flush().catch((error: unknown) => {
        context.report.warning(`the journal could not be written: ${messageOf(error)}`)
      })
    }
  })
}

async function readInput(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new IngestError('input_unreadable', `cannot read ${file}: ${messageOf(cause)}`, { cause })
  }
}
