/** After the program was built or installed: runs what most pushes run, and keeps what V8 compiled of it for later starts. */

'use strict'

const { once } = require('node:events')
const { existsSync, mkdtempSync, readdirSync, rmSync } = require('node:fs')
const { createServer } = require('node:net')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { Writable } = require('node:stream')
const { keepCompiled, load } = require('./load.js')

const ROOT = join(__dirname, '..')
const DIST = join(ROOT, 'dist')
const EXAMPLE = ['examples/results.jsonl', '--commit', 'examples/commit.json']
/** What Postgres says to whom it does not let in: nothing is tried again. */
const REFUSAL = error('SFATAL', 'VFATAL', 'C28000', 'Mnobody is let in')

// Without it a start is slower, and nothing else: an installation does not fail for it.
if (existsSync(join(DIST, 'program.cjs')))
  keep().catch(error => console.error(`vortex-ingest: what was compiled could not be kept: ${error}`))

async function keep() {
  process.chdir(ROOT)
  for (const name of readdirSync(DIST).filter(name => name.endsWith('.cjs'))) load(name)
  const folder = mkdtempSync(join(tmpdir(), 'vortex-ingest-'))
  const refusing = createServer(socket => socket.once('data', () => socket.end(REFUSAL)))
  try {
    await once(refusing.listen(0, '127.0.0.1'), 'listening')
    await runWhatMostRun(folder, `postgres://nobody:none@127.0.0.1:${refusing.address().port}/none`)
  } finally {
    // A server that listens would keep the installation waiting.
    refusing.close()
    rmSync(folder, { recursive: true })
  }
  keepCompiled()
}

async function runWhatMostRun(folder, dsn) {
  await run('validate', EXAMPLE[0])
  await run('push', ...EXAMPLE, '--server', 'http://127.0.0.1', '--benchmark-id', 'none', '--dry-run')
  await run('push', ...EXAMPLE, '--state', join(folder, 'state'), '--archive', join(folder, 'archive'))
  await run('push', ...EXAMPLE, '--insecure-local', '--postgres', dsn)
}

async function run(...args) {
  const argv = [process.execPath, 'vortex-ingest', ...args]
  const world = { argv, env: {}, stdin: process.stdin, stdout: nowhere(), stderr: nowhere() }
  await load('program.cjs').main({ ...world, on: () => undefined, off: () => undefined })
}

function nowhere() {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}

/** An ErrorResponse of the Postgres protocol. */
function error(...fields) {
  const body = Buffer.from(`${fields.map(field => `${field}\0`).join('')}\0`)
  const head = Buffer.alloc(5, 'E')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
