import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { Slots } from '../../../src/server/store/slots.js'

t.test('so many run at once, the others in the order they came', async t => {
  const slots = new Slots(2)
  const started: number[] = []
  let running = 0
  let most = 0
  const work = (number: number) => async (): Promise<number> => {
    started.push(number)
    most = Math.max(most, ++running)
    await setImmediate()
    running--
    return number
  }
  const results = await Promise.all([0, 1, 2, 3, 4, 5].map(number => slots.run(work(number))))
  t.strictSame(results, [0, 1, 2, 3, 4, 5])
  t.strictSame(started, [0, 1, 2, 3, 4, 5])
  t.equal(most, 2)
})

t.test('failed work frees its slot like successful work', async t => {
  const slots = new Slots(1)
  await t.rejects(
    slots.run(() => Promise.reject(new Error('no'))),
    { message: 'no' },
  )
  t.equal(await slots.run(() => Promise.resolve(1)), 1)
})

t.test('empty waits for the last one, those that wait included', async t => {
  const slots = new Slots(1)
  await slots.empty()
  let done = 0
  for (let number = 0; number < 3; number++) void slots.run(async () => void (await setImmediate(), done++))
  await slots.empty()
  t.equal(done, 3)
})
