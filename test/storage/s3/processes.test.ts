import t from 'tap'
import { testBetweenProcesses } from '../contract-processes.js'
import { withS3 } from '../fixtures/backend.js'

await withS3(t, testBetweenProcesses)
