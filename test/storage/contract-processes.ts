/** The storage contract under concurrency, tested with real processes. */
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'
import { openStorage } from '../../src/storage/open-storage.js'
import { listAll, type Storage } from '../../src/storage/storage.js'
import { Random, SEED } from '../fixtures/random.js'
import type { Backend } from './fixtures/backend.js'
import { letterOf, wholeBody } from './fixtures/bodies.js'
import { resultOf, startWorker, together } from './fixtures/processes.js'
import type { Task } from './fixtures/worker.js'

const PROCESSES = 8

export function testBetweenProcesses(t: Test, { name, fresh, increments, kills }: Backend): void {
  t.test(
    `${name}: each putIfAbsent has one winner among eight processes, and readers see its large body only in full`,
    async t => {
      const address = await fresh(t)
      const storage = await openStorage(address)
      const keys = Array.from({ length: 12 }, (_, at) => `claimed-${at}`)
      const reader = await startWorker(t, address, { do: 'look', keys })
      reader.go()
      const claims = Array.from({ length: PROCESSES }, (_, letter): Task => ({ do: 'claim', keys, letter: letter + 1 }))
      const won = (await together(t, address, claims)) as string[][]
      await storage.put('stop', wholeBody(0))

      t.strictSame(won.flat().sort(), [...keys].sort(), 'each key was won once')
      for (const [at, mine] of won.entries())
        for (const key of mine) t.equal(letterOf((await storage.get(key))!), at + 1, `${key} is its winner's`)
      await assertSawWhole(t, await reader.done)
      await storage.close()
    },
  )

  t.test(`${name}: eight processes increment a counter with putIfMatch, and no increment is lost`, async t => {
    const address = await fresh(t)
    const storage = await openStorage(address)
    await storage.put('counter', Buffer.from('0'))
    const tasks = Array.from({ length: PROCESSES }, (): Task => ({ do: 'count', times: increments }))
    const lost = (await together(t, address, tasks)) as number[]

    t.equal(String(await storage.get('counter')), String(PROCESSES * increments))
    t.ok(lost.reduce((all, times) => all + times) > 0, `they met: lost ${lost.join(', ')} times`)
    await storage.close()
  })

  t.test(`${name}: a reader during writes sees one complete body or another`, async t => {
    const address = await fresh(t)
    const storage = await openStorage(address)
    await storage.put('shared', wholeBody(0))
    const readers = await Promise.all([0, 1].map(() => startWorker(t, address, { do: 'look', keys: ['shared'] })))
    for (const { go } of readers) go()
    const replace = (letters: number[]): Task => ({ do: 'replace', key: 'shared', letters })
    const some = Array.from({ length: 15 }, (_, at) => at)
    await together(t, address, [replace(some.map(at => at + 1)), replace(some.map(at => at + 100))])
    t.ok([15, 114].includes(letterOf((await storage.get('shared'))!) ?? 0), 'the last write of one of them is there')
    await storage.put('stop', wholeBody(0))

    for (const { done } of readers) await assertSawWhole(t, await done)
    await storage.close()
  })

  t.test(
    `${name}: after kill -9 every acknowledged object exists and every object is complete (seed ${SEED})`,
    async t => {
      const address = await fresh(t)
      const storage = await openStorage(address)
      await storage.put('matched', wholeBody(0))
      const random = new Random()
      for (let round = 0; round < kills; round++) {
        const worker = await startWorker(t, address, { do: 'churn', round })
        worker.go()
        await setTimeout(random.int(1, 120))
        worker.kill()
        const kept = await worker.done
        for (const key of kept) t.not(await storage.get(key), undefined, `${key} was acknowledged`)
        await assertAllWhole(t, storage, round)
        await storage.deletePrefix('kept/')
        await storage.deletePrefix('gone/')
      }
      await storage.close()
    },
  )
}

async function assertSawWhole(t: Test, lines: readonly string[]): Promise<void> {
  const { whole, odd } = resultOf(lines) as { whole: number; odd: string[] }
  // The last listing may contain the object that stops the reader.
  t.strictSame(
    odd.filter(seen => !seen.startsWith('stop of ')),
    [],
    'no part was seen',
  )
  t.ok(whole > 0, `${whole} whole bodies were seen`)
}

async function assertAllWhole(t: Test, storage: Storage, round: number): Promise<void> {
  for await (const { key, bytes } of listAll(storage, '')) {
    t.match(key, /^(put|matched|(kept|gone)\/\d+\/\d+)$/)
    const body = (await storage.get(key))!
    t.equal(body.length, bytes, `round ${round}: ${key} is as long as its list says`)
    t.not(letterOf(body), undefined, `round ${round}: ${key} is whole`)
  }
}
