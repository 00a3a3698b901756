import t from 'tap'
import { testBetweenProcesses } from '../contract-processes.js'
import { testContract } from '../contract.js'
import type { Backend } from '../fixtures/backend.js'

const local: Backend = {
  name: 'a folder',
  fresh: async t => ({ kind: 'local', folder: `${t.testdir()}/not/there/yet` }),
  increments: 60,
  kills: 10,
}

testContract(t, local)
testBetweenProcesses(t, local)
