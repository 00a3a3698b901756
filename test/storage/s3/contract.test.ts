import t from 'tap'
import { testContract } from '../contract.js'
import { withS3 } from '../fixtures/backend.js'

await withS3(t, testContract)
