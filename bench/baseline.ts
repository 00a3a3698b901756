/** The simplest possible ingester: parses each line and upserts each row in one transaction. `baseline FILE URL COMMIT_FILE` */

import { readFileSync } from 'node:fs'
import pg from 'pg'
import type { Commit } from '../src/contract/commit.js'
import { wasmHash64 } from '../src/contract/hash64.js'
import { CONTRACT, type Kind } from '../src/contract/kinds.js'
import { measurementId } from '../src/contract/measurement-id.js'
import { commitStatements } from '../src/database/commit-row.js'

type Line = { readonly kind: string } & Readonly<Record<string, string | number>>

const [file = '', connectionString = '', commitFile = ''] = process.argv.slice(2)
const commit = JSON.parse(readFileSync(commitFile, 'utf8')) as Commit
const hash = await wasmHash64()
const statements = new Map(CONTRACT.kinds.map(kind => [kind.kind, { kind, text: upsert(kind) }]))

const client = new pg.Client({ connectionString })
await client.connect()
await client.query('BEGIN')
for (const { text, values } of commitStatements(commit).before) await client.query(text, [...(values ?? [])])
let inserted = 0
for (const text of readFileSync(file, 'utf8').trimEnd().split('\n')) {
  const line = JSON.parse(text) as Line
  const statement = statements.get(line.kind)
  if (statement === undefined) throw new Error(`unknown kind ${line.kind}`)
  const id = measurementId(statement.kind, line, hash)
  const values = statement.kind.fields.map(({ name, conditional }) => line[name] ?? conditional ?? null)
  const { rows } = await client.query<{ inserted: boolean }>(statement.text, [id, ...values])
  if (rows[0]?.inserted === true) inserted++
}
await client.query('COMMIT')
await client.end()
console.log(JSON.stringify({ inserted }))

function upsert({ table, fields }: Kind): string {
  const columns = ['measurement_id', ...fields.map(({ name }) => name)]
  const values = columns.map((_, index) => `$${index + 1}`)
  const overwritten = fields.filter(({ dimension }) => !dimension).map(({ name }) => `${name} = excluded.${name}`)
  return `
    INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})
    ON CONFLICT (measurement_id) DO UPDATE SET ${overwritten.join(', ')}
    RETURNING (xmax = 0) AS inserted`
}
