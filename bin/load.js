/**
 * Runs scripts of dist/ with what V8 compiled of them when the program was installed (docs/adr/0014-code-cache.md). Where
 * that is missing, or is of another Node, they are compiled as ever.
 */

'use strict'

const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { Script } = require('node:vm')

const DIST = join(__dirname, '..', 'dist')
const RUNTIME = `${process.version}-${process.platform}-${process.arch}`

/** @type {Map<string, { script: Script, kept: string, module: { exports: any } }>} */
const loaded = new Map()

/** What a script exports. @param {string} name in dist/ */
function load(name) {
  const before = loaded.get(name)
  if (before !== undefined) return before.module.exports
  const filename = join(DIST, name)
  // The build sees to it that it is ASCII: so read it takes half of the memory.
  const source = readFileSync(filename, 'latin1')
  const kept = `${filename}.${hashIn(source)}.${RUNTIME}.cache`
  const script = new Script(source, { filename, cachedData: read(kept) })
  const module = { exports: {} }
  loaded.set(name, { script, kept, module })
  script.runInThisContext()(module.exports, requireOne, module, pathToFileURL(filename).href)
  return module.exports
}

/** Keeps what has been compiled by now; the more was run before, the more that is. */
function keepCompiled() {
  for (const { script, kept } of loaded.values()) {
    const unfinished = `${kept}.${process.pid}`
    // V8 believes what it reads there: it must not be half of it, whatever happens to the machine.
    writeFileSync(unfinished, script.createCachedData(), { flush: true })
    renameSync(unfinished, kept)
  }
}

/** Whether V8 took what was kept of a script that is loaded. @param {string} name */
function wasKept(name) {
  return loaded.get(name)?.script.cachedDataRejected === false
}

/** V8 tells a script from another by its length alone; the build puts a hash into the first line. */
function hashIn(source) {
  return source.slice(2, source.indexOf('\n'))
}

/** @param {string} name */
function requireOne(name) {
  return name.startsWith('./') ? load(name.slice(2)) : require(name)
}

function read(file) {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

module.exports = { load, keepCompiled, wasKept }
