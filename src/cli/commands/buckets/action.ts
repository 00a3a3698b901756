/** `buckets ls`, `buckets add`, `buckets rm`: list and change the buckets of a state. */

import { requiredStateConfig } from '../../../config/state.js'
import { EXIT, IngestError } from '../../../errors.js'
import { addBucket, listBuckets, removeBucket } from '../../../state/buckets.js'
import { bucketDocument } from '../../../state/target-overview.js'
import { withState, type RegistryAction } from '../state/with-state.js'
import { table } from '../../output/table.js'
import type { BucketsAddReport, BucketsListReport, BucketsRemoveReport } from '../../../reports/state.js'

export const listBucketsCommand: RegistryAction = (_, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    const buckets = await listBuckets(state)
    if (flags.format === 'json') {
      report.json<BucketsListReport>({
        command: 'buckets ls',
        exit_code: EXIT.done,
        buckets: buckets.map(bucketDocument),
      })
      return EXIT.done
    }
    const rows = buckets.map(({ name, backend, root, usedBy }) => [name, backend, root, usedBy.join(', ') || '-'])
    for (const line of table([['NAME', 'BACKEND', 'ROOT', 'USED BY'], ...rows])) report.result(line)
    return EXIT.done
  })

export const addBucketCommand: RegistryAction = ([name = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    if (flags.root === undefined) throw new IngestError('usage', 'a bucket needs --root', { hint: ROOTS })
    const { root } = await addBucket(state, name, flags.root)
    if (flags.format === 'json')
      report.json<BucketsAddReport>({ command: 'buckets add', exit_code: EXIT.done, name, root })
    else report.verdict(true, 'added', `the bucket ${name}: ${root}`)
    return EXIT.done
  })

const ROOTS = '--root DIR, --root s3://BUCKET/PREFIX, or --root memory:'

export const removeBucketCommand: RegistryAction = ([name = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    await removeBucket(state, name)
    if (flags.format === 'json') report.json<BucketsRemoveReport>({ command: 'buckets rm', exit_code: EXIT.done, name })
    else report.verdict(true, 'removed', `the bucket ${name}; its objects stay where they are`)
    return EXIT.done
  })
