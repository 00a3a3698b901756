#!/usr/bin/env node
'use strict'

// Node 22.1 and later keep what they compiled for the next start. Node 20 has no such cache.
require('node:module').enableCompileCache?.()

// The command replaces this code when it ends. A process that runs out of work before that has failed.
process.exitCode = 1
require('../dist/main.cjs')
  .start(process)
  .then(code => (process.exitCode = code))
