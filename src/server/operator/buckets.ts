/** Operator routes for buckets and the objects in them. */

import { getObject, putObject, assertObjectKey } from '../../state/bucket-objects.js'
import { addBucket, assertBucket, listBuckets, removeBucket } from '../../state/buckets.js'
import { bucketDocument } from '../../state/target-overview.js'
import { readRegistry } from '../../state/registry.js'
import { Slots } from '../../database/session-pool.js'
import { Budget } from '../budget.js'
import { withBody, withFields, readBytes } from '../request-body.js'
import { type Operator, type OperatorLimits, type OperatorRoute, pathParameterValue } from './operator-route.js'

const LIST = '/storage/buckets'
/** Number of objects that may be in memory at the same time: of those that are stored, and of those that are sent. */
const IN_MEMORY = 4
/** Number of requests for objects that may wait. Further ones are refused. */
const MAX_WAITING = 100

export function bucketRoutes(operator: Operator, limits: OperatorLimits): readonly OperatorRoute[] {
  const { state } = operator
  return [
    {
      ...{ method: 'GET', url: LIST },
      answer: async () => ({ status: 200, body: { buckets: (await listBuckets(state)).map(bucketDocument) } }),
    },
    {
      ...{ method: 'POST', url: LIST },
      answer: (request, onBodyWanted) =>
        withFields(request, ['name', 'root'], { ...limits, onBodyWanted }, async ({ name, root }) => {
          await addBucket(state, name, root)
          const added = (await listBuckets(state)).filter(bucket => bucket.name === name)
          const headers = { location: `${LIST}/${name}` }
          return { status: 201, body: { bucket: added.map(bucketDocument)[0] ?? null }, headers }
        }),
    },
    {
      ...{ method: 'DELETE', url: `${LIST}/:bucket` },
      answer: async request => {
        await removeBucket(state, pathParameterValue(request, 'bucket'))
        return { status: 204 }
      },
    },
    ...objectRoutes(operator, limits),
  ]
}

function objectRoutes({ state, journal }: Operator, limits: OperatorLimits): readonly OperatorRoute[] {
  const url = `${LIST}/:bucket/objects/*`
  const slots = new Slots(IN_MEMORY)
  const sending = new Budget(IN_MEMORY, MAX_WAITING)
  const named = (request: Parameters<OperatorRoute['answer']>[0]) => ({
    ...{
      bucket: pathParameterValue(request, 'bucket'),
      key: pathParameterValue(request, '*'),
      journal: journal.events,
    },
  })
  const journalled = <T>(work: Promise<T>): Promise<T> => work.finally(() => journal.scheduleFlush())
  return [
    {
      ...{ method: 'GET', url },
      answer: async request => {
        const share = await sending.take(1)
        const release = (): void => share.release()
        try {
          const { body, ...from } = await journalled(getObject(state, named(request), limits.maxBodyBytes))
          return { status: 200, body, headers: originHeaders(from), release }
        } catch (error) {
          release()
          throw error
        }
      },
    },
    {
      ...{ method: 'PUT', url },
      answer: async (request, onBodyWanted) => {
        const name = named(request)
        const { bucket, key } = name
        assertObjectKey(key)
        assertBucket(await readRegistry(state.storage), bucket)
        return withBody(request, { ...limits, onBodyWanted }, async body => {
          await journalled(slots.run(async () => putObject(state, name, await readBytes(body))))
          return { status: 200, body: { bucket, key, bytes: body.length } }
        })
      },
    },
  ]
}

type From = { readonly asked: string; readonly answered: string; readonly rescued: boolean }

function originHeaders({ asked, answered, rescued }: From): Readonly<Record<string, string>> {
  return { 'x-bucket-asked': asked, 'x-bucket-answered': answered, 'x-bucket-rescued': String(rescued) }
}
