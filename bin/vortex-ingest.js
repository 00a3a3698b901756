#!/usr/bin/env node
import { load } from './load.js'

process.exitCode = await load('program.cjs').main(process)
