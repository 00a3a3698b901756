import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { tarEntries } from '../../../src/database/embedded/create-data-dir.js'
import { emptyFolder } from './fixtures/folders.js'

const tar = (dir: string, ...names: string[]) => execFileSync('tar', ['-c', '--format=ustar', '-C', dir, ...names])

t.test('files of any size and folders are read as tar wrote them', t => {
  const dir = emptyFolder(t)
  const sizes = [0, 1, 511, 512, 513, 70_000]
  mkdirSync(join(dir, 'folder'))
  for (const size of sizes) writeFileSync(join(dir, `folder/${size}`), Buffer.alloc(size, 'x'))

  const entries = [...tarEntries(tar(dir, 'folder'))]
  const files = new Map(entries.filter(entry => entry.kind === 'file').map(entry => [entry.name, entry.content]))
  t.match(entries[0], { name: 'folder/', kind: 'folder' })
  for (const size of sizes)
    t.ok(Buffer.alloc(size, 'x').equals(files.get(`folder/${size}`) ?? Buffer.from('none')), `${size}`)
  t.end()
})

t.test('an unsupported or truncated entry is an error', t => {
  const dir = emptyFolder(t)
  writeFileSync(join(dir, 'file'), Buffer.alloc(2000))
  symlinkSync('file', join(dir, 'link'))

  t.throws(() => [...tarEntries(tar(dir, 'link'))], { message: 'cannot read tar entry "link"' })
  t.throws(() => [...tarEntries(tar(dir, 'file').subarray(0, 1024))], { message: 'cannot read tar entry "file"' })
  t.end()
})
