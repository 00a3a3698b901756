import t from 'tap'
import { findMoto, NO_MOTO, startMoto } from '../../fixtures/moto.js'
import { testBetweenProcesses } from '../contract-processes.js'
import { testContract } from '../contract.js'
import type { Backend } from '../fixtures/backend.js'

const python = await findMoto()
if (python === undefined) t.pass('S3', { skip: NO_MOTO })
else {
  const moto = await startMoto(t, python)
  const s3: Backend = {
    name: 'S3',
    fresh: async () => ({
      kind: 's3',
      bucket: await moto.createBucket(),
      prefix: 'some/prefix',
      region: undefined,
      endpoint: moto.endpoint,
      pathStyle: true,
    }),
    increments: 12,
    kills: 6,
  }
  testContract(t, s3)
  testBetweenProcesses(t, s3)
}
