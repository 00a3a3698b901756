#!/usr/bin/env node
'use strict'

const { load, optimizeLate } = require('./load.js')

// Until it is done: a program that runs out of things to wait for has not done it.
process.exitCode = 1
const { main } = load('program.cjs')
optimizeLate(process.argv.slice(2))
main(process).then(code => (process.exitCode = code))
