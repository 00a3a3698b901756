import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { hasEnded, thisProcess } from '../../src/state/state.js'
import { waitUntil } from '../fixtures/wait-until.js'

t.test('this process has not ended, and its owner value is stable', async t => {
  const self = await thisProcess()
  t.equal(self.pid, process.pid)
  t.strictSame(await thisProcess(), self)
  t.equal(await hasEnded(self), false)
})

t.test('a process that was killed has ended', async t => {
  const child = spawn('sleep', ['60'])
  const owner = { ...(await thisProcess()), pid: child.pid!, started: '' }
  t.equal(await hasEnded(owner), false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.equal(await hasEnded(owner), true)
})

t.test('a process that reuses a pid is a different owner', { skip: process.platform !== 'linux' }, async t => {
  const self = await thisProcess()
  t.equal(await hasEnded({ ...self, started: `${self.started}0` }), true)
})

t.test('a zombie process has ended', { skip: process.platform !== 'linux' }, async t => {
  // The shell stops itself, so that it cannot wait for its child.
  const shell = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'])
  t.teardown(() => shell.kill('SIGKILL'))
  const pid = Number(await once(shell.stdout, 'data'))
  const started = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')[19] ?? ''
  const owner = { ...(await thisProcess()), pid, started }
  t.equal(await hasEnded(owner), false)
  process.kill(pid, 'SIGKILL')
  await waitUntil(() => hasEnded(owner))
  t.match(await readFile(`/proc/${pid}/stat`, 'utf8'), /\) Z /, 'its number is not free yet')
})

t.test('a process of another machine is never known to have ended', async t => {
  t.equal(await hasEnded({ host: 'elsewhere', pid: 2 ** 30, started: '1' }), false)
})
