/** Posts envelopes to a server concurrently, each over a connection of its own, without starting a process. */

import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { COMMIT } from './inputs.js'
import type { Sample } from './measure.js'

const RUN_META = { benchmark_id: 'bench', schema_version: 1, started_at: COMMIT.timestamp }

/** @returns an envelope with the unchanged records of a file */
export async function envelopeOf(file: string): Promise<Buffer> {
  const records = (await readFile(file, 'utf8')).trimEnd().replaceAll('\n', ',')
  const [run, commit] = [JSON.stringify(RUN_META), JSON.stringify(COMMIT)]
  return Buffer.from(`{"run_meta":${run},"commit":${commit},"records":[${records}]}`)
}

/** Measures from the first sent byte to the last answer. @throws when the answers do not add up to `rows` inserted rows */
export async function postTogether(url: string, bodies: readonly Buffer[], rows: number): Promise<Sample> {
  const started = performance.now()
  const inserted = await Promise.all(bodies.map(body => post(`${url}/api/ingest`, body)))
  const wallMs = performance.now() - started
  const sum = inserted.reduce((all, one) => all + one, 0)
  if (sum !== rows) throw new Error(`inserted ${sum} rows instead of ${rows}`)
  return { wallMs }
}

async function post(url: string, body: Buffer): Promise<number> {
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const answer = await new Promise<string>((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, agent: false }, response => {
      text(response).then(resolve, reject)
    })
    sent.on('error', reject).end(body)
  })
  const { inserted } = JSON.parse(answer) as { readonly inserted?: number }
  if (inserted === undefined) throw new Error(`the server answered ${answer}`)
  return inserted
}
