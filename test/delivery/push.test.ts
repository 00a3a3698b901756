import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Target } from '../../src/delivery/target.js'
import { push, type PushOptions } from '../../src/delivery/push.js'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import { postgresSink } from '../../src/targets/postgres/sink.js'
import { fileSource } from '../../src/source/source.js'
import { size } from '../fixtures/delivery.js'
import { COMMIT, RUN, SHA } from '../fixtures/records.js'
import { startPostgres, type PostgresServer } from '../fixtures/postgres.js'

const SINK = { random: Math.random, rolePolicy: 'any', retryDeadlineMs: 0 } as const

t.test('a push into Postgres', async t => {
  const server = await startPostgres(t)
  const options = (name: string, more: Partial<PushOptions> = {}): PushOptions => {
    const address = parseDsn(server.url(name).replace('?sslmode=disable', ''), { insecureLocal: true })
    const targets: Target[] = [{ name: 'postgres', kind: 'postgres', opener: postgresSink(address, SINK) }]
    return { commit: COMMIT, run: RUN, targets, ...more }
  }
  const database = async (name: string): Promise<string> => {
    const url = (await server.createDatabase(name)).replace('?sslmode=disable', '')
    const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
    await migrate(session)
    await session.close()
    return name
  }

  await t.test('a file that the database refuses is named, and the files before it stay', async t => {
    const name = await database('refusing')
    await server.sql(`ALTER TABLE compression_sizes ADD CHECK (dataset <> 'forbidden')`, name)
    const [good, bad, never] = await files(t.testdir(), [[size('a')], [size('b'), size('forbidden')], [size('c')]])
    const { targets } = await push(
      [good!, bad!, never!].map(path => fileSource(path)),
      options(name),
    )
    t.strictSame(
      targets[0]?.receipts.map(({ source }) => source),
      [good],
    )
    t.match(targets[0], { failedSource: bad, error: { code: 'target_refused' } })
    t.strictSame(await datasets(server, name), ['a'])
  })

  await t.test('when the first file is refused, nothing is stored', async t => {
    const name = await database('refusing_first')
    await server.sql(`ALTER TABLE compression_sizes ADD CHECK (dataset <> 'forbidden')`, name)
    const [bad] = await files(t.testdir(), [[size('b'), size('forbidden')]])
    const { targets } = await push([fileSource(bad!)], options(name))
    t.match(targets, [{ receipts: [], failedSource: bad, error: { code: 'target_refused' } }])
    t.strictSame(await datasets(server, name), [])
    t.strictSame(await server.sql('SELECT 1 FROM commits', name), [])
  })

  await t.test('a bad line in the last of several files keeps all of them out', async t => {
    const name = await database('one_bad_line')
    const [good, bad] = await files(t.testdir(), [[size('a')], [size('b'), size('c').replace('"parquet"', '7')]])
    const pushed = await push(
      [good!, bad!].map(path => fileSource(path)),
      options(name),
    )
    t.match(pushed.notes.rejections, [{ source: bad, line: 2, pointer: '/format', code: 'not_string' }])
    t.strictSame(pushed.targets, [])
    t.strictSame(await datasets(server, name), [])
  })

  await t.test('two commits in two files are refused like two in one', async t => {
    const name = await database('two_commits')
    const other = size('b').replace(SHA, 'f'.repeat(40))
    const [one, two] = await files(t.testdir(), [[size('a')], [other]])
    const { notes } = await push(
      [one!, two!].map(path => fileSource(path)),
      options(name, { commit: async () => COMMIT }),
    )
    t.match(notes.rejections, [{ source: two, line: 1, pointer: '/commit_sha', code: 'commit_mismatch' }])
    t.strictSame(await datasets(server, name), [])
  })

  await t.test('a file that changes between its two readings is refused, and nothing is stored', async t => {
    const name = await database('changing')
    const [file] = await files(t.testdir(), [[size('a'), size('b')]])
    const change = async (): Promise<typeof COMMIT> => {
      await writeFile(file!, `${size('a')}\n${size('x')}\n${size('y')}\n`)
      return COMMIT
    }
    const { targets } = await push([fileSource(file!)], options(name, { commit: change }))
    t.match(targets, [{ receipts: [], error: { code: 'input_changed' } }])
    t.strictSame(await datasets(server, name), [])
  })

  await t.test('a file that changes while its rows are on their way is refused before the commit', async t => {
    const name = await database('changing_late')
    // The rows of the small file are kept from the first pass. The large file is read again.
    const [file, large] = await files(t.testdir(), [
      [size('a')],
      Array.from({ length: 9_000 }, () => size('a'.repeat(500))),
    ])
    const source = fileSource(large!)
    const opens = { count: 0 }
    const changing = {
      ...source,
      open: async () => {
        const reader = await source.open()
        if (++opens.count === 2) await writeFile(large!, `${size('a')}\n${size('b')}\n`)
        return reader
      },
    }
    const commit = async (): Promise<typeof COMMIT> => {
      await writeFile(file!, `${size('a')}\n${size('b')}\n`)
      return COMMIT
    }
    for (const outcome of [
      await push([fileSource(file!)], options(name, { commit })),
      await push([changing], options(name)),
    ])
      t.match(outcome.targets, [{ receipts: [], error: { code: 'input_changed' } }])
    t.strictSame(await datasets(server, name), [])
  })
})

t.test('bad input is reported immediately, and retries of an unreachable target are abandoned', async t => {
  const [bad] = await files(t.testdir(), [['{}']])
  let given = false
  const open = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        given = true
        reject(new Error('given up'))
      })
    })
  const pushed = await push([fileSource(bad!)], {
    commit: async () => COMMIT,
    run: RUN,
    targets: [{ name: 'postgres', kind: 'postgres', opener: { id: 'x', description: 'dead', opensEarly: true, open } }],
  })
  t.equal(pushed.inspections[0]?.rejected, 1)
  t.ok(given)
})

t.test('a target that is not opened early is not opened at all for bad input', async t => {
  const [bad] = await files(t.testdir(), [['{}']])
  const open = (): Promise<never> => Promise.reject(new Error('must not be opened'))
  const pushed = await push([fileSource(bad!)], {
    commit: async () => COMMIT,
    run: RUN,
    targets: [
      { name: 'embedded', kind: 'embedded', opener: { id: 'x', description: 'dead', opensEarly: false, open } },
    ],
  })
  t.equal(pushed.inspections[0]?.rejected, 1)
})

async function files(folder: string, contents: readonly (readonly string[])[]): Promise<readonly string[]> {
  const paths = contents.map((_, index) => join(folder, `${index}.jsonl`))
  for (const [index, lines] of contents.entries()) await writeFile(paths[index]!, `${lines.join('\n')}\n`)
  return paths
}

async function datasets(server: PostgresServer, database: string): Promise<readonly unknown[]> {
  const rows = await server.sql('SELECT dataset FROM compression_sizes ORDER BY dataset', database)
  return rows.map(({ dataset }) => dataset)
}
