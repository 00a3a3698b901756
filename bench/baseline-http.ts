/** The simplest possible HTTP client: parses each line, builds envelopes and posts them. `baseline-http FILE URL COMMIT_FILE` */

import { readFileSync } from 'node:fs'

const MAX_BYTES = 60 * 1024 * 1024

const [file = '', url = '', commitFile = ''] = process.argv.slice(2)
const commit = JSON.parse(readFileSync(commitFile, 'utf8')) as object
const run = { benchmark_id: 'bench', schema_version: 1, started_at: new Date().toISOString() }
let [records, bytes, inserted] = [[] as unknown[], 0, 0]

async function send(): Promise<void> {
  const body = JSON.stringify({ run_meta: run, commit, records })
  const answer = await fetch(`${url}/api/ingest`, { method: 'POST', body })
  inserted += ((await answer.json()) as { inserted: number }).inserted
  records = []
  bytes = 0
}

for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
  if (bytes + line.length > MAX_BYTES - 4096) await send()
  records.push(JSON.parse(line))
  bytes += line.length + 1
}
await send()
console.log(JSON.stringify({ inserted }))
