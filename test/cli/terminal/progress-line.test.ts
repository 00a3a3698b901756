import t from 'tap'
import { Meter } from '../../../src/cli/output/progress/meter.js'
import { progressLine } from '../../../src/cli/output/progress/progress-line.js'

function meterAt(done: number, total: number | undefined): Meter {
  const meter = new Meter({ label: 'reading results.jsonl', unit: 'bytes', total }, 0)
  meter.add(done)
  meter.sample(2000)
  return meter
}

t.test('a wide terminal shows the bar, the part that is done, the speed and the time that is left', async t => {
  t.equal(
    progressLine(meterAt(50e6, 200e6), 80),
    'reading results.jsonl  [=====>              ]  25 %  25 MB/s  6 s left',
  )
})

t.test('a narrow one gives up the bar, then the speed, then the end of the name, and is never filled', async t => {
  t.equal(progressLine(meterAt(50e6, 200e6), 60), 'reading results.jsonl  25 %  25 MB/s  6 s left')
  t.equal(progressLine(meterAt(50e6, 200e6), 40), 'reading results.jsonl  25 %  6 s left')
  t.equal(progressLine(meterAt(50e6, 200e6), 30), 'reading re...  25 %  6 s left')
  for (let columns = 1; columns < 120; columns++)
    t.ok(progressLine(meterAt(50e6, 200e6), columns).length < columns, `${columns} columns`)
})

t.test('without a total, the line shows the amount and the speed', async t => {
  t.equal(progressLine(meterAt(50e6, undefined), 80), 'reading results.jsonl  50 MB  25 MB/s')
  t.equal(progressLine(meterAt(50e6, 40e6), 80), 'reading results.jsonl  50 MB  25 MB/s', 'more than was expected')
})

t.test('when all is sent, it is the answer that is waited for', async t => {
  t.equal(progressLine(meterAt(200e6, 200e6), 80), 'reading results.jsonl  100 %', 'of a file there is none')
  const meter = new Meter({ label: 'results.jsonl to site', unit: 'records', total: 300 }, 0)
  meter.moveTo(300)
  t.equal(progressLine(meter, 80), 'results.jsonl to site  waiting for the answer')
  meter.moveTo(0)
  t.match(progressLine(meter, 80), / 0 %/, 'and what is begun again begins at its start')
})

t.test('a standstill shows after a few seconds', async t => {
  const meter = meterAt(50e6, 200e6)
  for (let at = 2200; at < 10_000; at += 200) meter.sample(at)
  t.equal(meter.rate, 0)
  t.equal(meter.leftMs, undefined, 'nobody can say')
})

t.test('work in parts is counted, and its speed is that of all of it', async t => {
  const meter = new Meter({ label: 'drain to site', unit: 'records', total: 4000, isWhole: true }, 0)
  meter.add(1000)
  for (let at = 200; at <= 10_000; at += 200) meter.sample(at)
  const line = 'drain to site  [=====>              ]  25 %  1,000 of 4,000 records  100 records/s  30 s left'
  t.equal(progressLine(meter, 100), line)
  t.equal(progressLine(meter, 80), 'drain to site  25 %  1,000 of 4,000 records  100 records/s  30 s left')
  meter.expect(1000)
  t.match(progressLine(meter, 80), /20 % {2}1,000 of 5,000 records .* 40 s left/, 'there may be more than was known')
  meter.moveTo(500)
  meter.sample(10_200)
  t.equal(Math.round(meter.rate ?? 0), 49, 'a part that is begun again takes nothing from the time before')
})

t.test('a name with control characters cannot move the cursor', async t => {
  const meter = new Meter({ label: 'reading a\u001b[2Jb\nc', unit: 'records', total: 10 }, 0)
  t.notMatch(progressLine(meter, 80), /[\u0000-\u001f]/)
})
