import t from 'tap'
import { rangeText } from '../../src/cli/commands/push/human.js'

t.test('a range of sequence numbers is printed; a lost lease has no last number', async t => {
  const partition = '0123456789abcdef'
  t.equal(rangeText({ partition, since: 3, until: 4 }), 'number 4 of 0123456')
  t.equal(rangeText({ partition, since: 3, until: 9 }), 'numbers 4 to 9 of 0123456')
  t.equal(rangeText({ partition, since: 17, until: 17 }), 'numbers from 18 of 0123456')
})
