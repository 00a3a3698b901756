/**
 * Runs scripts of dist/ with what V8 compiled of them when the program was installed (docs/adr/0014-code-cache.md). Where
 * that is missing, or is of another Node, they are compiled as ever.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

const DIST = new URL('../dist/', import.meta.url)
const requireFromDist = createRequire(new URL('program.cjs', DIST))
const RUNTIME = `${process.version}-${process.platform}-${process.arch}`

/** @type {Map<string, { script: Script, kept: string, module: { exports: any } }>} */
const loaded = new Map()

/** What a script exports. @param {string} name in dist/ */
export function load(name) {
  const before = loaded.get(name)
  if (before !== undefined) return before.module.exports
  const filename = fileURLToPath(new URL(name, DIST))
  // The build sees to it that it is ASCII: so read it takes half of the memory.
  const source = readFileSync(filename, 'latin1')
  const kept = `${filename}.${hashIn(source)}.${RUNTIME}.cache`
  const script = new Script(source, { filename, cachedData: read(kept) })
  const module = { exports: {} }
  loaded.set(name, { script, kept, module })
  script.runInThisContext()(module.exports, requireOne, module, new URL(name, DIST).href)
  return module.exports
}

/** Keeps what has been compiled by now; the more was run before, the more that is. */
export function keepCompiled() {
  for (const { script, kept } of loaded.values()) {
    const unfinished = `${kept}.${process.pid}`
    // V8 believes what it reads there: it must not be half of it, whatever happens to the machine.
    writeFileSync(unfinished, script.createCachedData(), { flush: true })
    renameSync(unfinished, kept)
  }
}

/** Whether V8 took what was kept of a script that is loaded. @param {string} name */
export function wasKept(name) {
  return loaded.get(name)?.script.cachedDataRejected === false
}

/** V8 tells a script from another by its length alone; the build puts a hash into the first line. */
function hashIn(source) {
  return source.slice(2, source.indexOf('\n'))
}

/** @param {string} name */
function requireOne(name) {
  return name.startsWith('./') ? load(name.slice(2)) : requireFromDist(name)
}

function read(file) {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}
