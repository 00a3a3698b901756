/** Runs in a worker thread: finds the change points of the series that it is given, and answers once. */

import { parentPort, workerData } from 'node:worker_threads'
import { findAlignedChanges } from '../../analysis/align-changes.js'
import type { AnalysisTask } from './analyse.js'

const { series, threshold } = workerData as AnalysisTask
parentPort?.postMessage(findAlignedChanges(series, threshold))
