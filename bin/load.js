/**
 * Runs scripts of dist/ with what V8 compiled of them when the program was installed (docs/adr/0014-code-cache.md). Where
 * that is missing, or is of another Node, they are compiled as ever.
 */

'use strict'

const { readFileSync, renameSync, statSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { setFlagsFromString } = require('node:v8')
const { Script } = require('node:vm')

const DIST = join(__dirname, '..', 'dist')
const RUNTIME = `${process.version}-${process.platform}-${process.arch}`

/** Later ones have no such flag, and a cheaper compiler before the one that optimises. */
const CAN_WAIT = process.version.startsWith('v20.')
/** Bytes of bytecode that a function runs before V8 looks whether to optimise it: its own, and what a short run stays below. */
const BUDGET = 66 * 1024
const LATE_BUDGET = 1_000_000
/**
 * A run that takes more processor time gains more from optimised code than it costs. By the clock it may take much longer
 * all the same: 14 at once share a machine.
 */
const LATE_CPU_MS = 150
/** How often it is looked at, and until when: a program that waits for so long should not be woken for this. */
const LOOK_MS = 50
const LATEST_MS = 5_000
/** A file beyond this is worth optimising for at once. */
const LARGE_BYTES = 4 * 1024 * 1024

let isLate = false

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
  const script = underUsualFlags(() => new Script(source, { filename, cachedData: read(kept) }))
  const module = { exports: {} }
  loaded.set(name, { script, kept, module })
  script.runInThisContext()(module.exports, requireOne, module, pathToFileURL(filename).href)
  return module.exports
}

/**
 * For now V8 optimises later: the small push of a CI job is over before that has paid for itself, and spent a fifth of its
 * processor time on it, in threads beside those of 13 other jobs.
 * @param {readonly string[]} args of the command line
 */
function optimizeLate(args) {
  if (!CAN_WAIT || args.some(isLargeFile)) return
  setLate(true)
  const start = process.cpuUsage()
  const looking = setInterval(() => {
    const { user, system } = process.cpuUsage(start)
    if ((user + system) / 1000 < LATE_CPU_MS && performance.now() < LATEST_MS) return
    clearInterval(looking)
    setLate(false)
  }, LOOK_MS).unref()
}

/** @param {string} arg */
function isLargeFile(arg) {
  try {
    return statSync(arg, { throwIfNoEntry: false })?.size > LARGE_BYTES
  } catch {
    return false
  }
}

function setLate(late) {
  isLate = late
  setFlagsFromString(`--interrupt-budget=${late ? LATE_BUDGET : BUDGET}`)
}

/** V8 takes what was kept, by us or in Node of its own modules, only under the flags under which it was compiled. */
function underUsualFlags(compile) {
  if (!isLate) return compile()
  setLate(false)
  try {
    return compile()
  } finally {
    setLate(true)
  }
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
  return name.startsWith('./') ? load(name.slice(2)) : underUsualFlags(() => require(name))
}

function read(file) {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

module.exports = { load, optimizeLate, keepCompiled, wasKept }
