/** Runs in a worker thread: finds the change points of the series that it is given, and answers once. */

import { parentPort, workerData } from 'node:worker_threads'
import { alignChangePoints } from '../../analysis/align-changes.js'
import { findChangePoints } from '../../analysis/history-changes.js'
import type { AnalysisTask } from './analyse.js'

const { series, threshold } = workerData as AnalysisTask
parentPort?.postMessage(alignChangePoints(findChangePoints(series, threshold), series))
