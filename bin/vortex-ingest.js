#!/usr/bin/env node
'use strict'

const { load } = require('./load.js')

// Until it is done: a program that runs out of things to wait for has not done it.
process.exitCode = 1
load('program.cjs')
  .main(process)
  .then(code => (process.exitCode = code))
