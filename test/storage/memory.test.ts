import t from 'tap'
import { testContract } from './contract.js'

testContract(t, { name: 'memory', fresh: async () => ({ kind: 'memory' }), increments: 0, kills: 0 })
