/** A command as a step of a GitHub Actions job: masks secrets first, then writes annotations, a summary and outputs. */

import { randomUUID } from 'node:crypto'
import { appendFile, stat } from 'node:fs/promises'
import type { GithubConfig } from '../../../config/environment.js'
import type { TargetFlags } from '../../../targets/kinds.js'
import { collectSecrets } from '../../../targets/secrets.js'
import { messageOf } from '../../../errors.js'
import type { CiStep, StepSummary } from '../../context.js'
import type { Report } from '../report.js'
import { type Annotations, workflowCommand } from './annotations.js'
import { cutTo, failureSummary } from './markdown.js'

/** Maximum size of a step's summary. GitHub drops a larger summary completely. */
const MAX_SUMMARY_BYTES = 1024 * 1024

export type GithubStepOptions = {
  readonly config: GithubConfig
  readonly annotations: Annotations
  readonly report: Report
  /** Whether the runner reads stderr, so that commands to mask secrets may be printed there. */
  readonly masks: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

export class GithubStep implements CiStep {
  readonly #options: GithubStepOptions
  #command = ''
  #summary: StepSummary | undefined

  constructor(options: GithubStepOptions) {
    this.#options = options
  }

  get hasSummary(): boolean {
    return this.#options.config.summaryFile !== undefined
  }

  /** Makes the runner mask all secrets, before anything else is printed. */
  async begin(command: string, flags: TargetFlags): Promise<void> {
    this.#command = command
    const { env, masks, report } = this.#options
    if (!masks) return
    for (const secret of await collectSecrets(flags, env)) report.command(workflowCommand('add-mask', {}, secret))
  }

  setSummary(summary: StepSummary): void {
    this.#summary = summary
  }

  /** Writes outputs, summary and annotations. A failure to do so is a warning and never changes the exit code. */
  async finish(exitCode: number, error: unknown): Promise<void> {
    const { annotations, config, report } = this.#options
    try {
      await this.#writeOutputs(config.outputFile, exitCode)
      await this.#writeSummary(config.summaryFile, exitCode, error)
    } catch (failure) {
      report.warning(`the GitHub step summary or outputs could not be written: ${messageOf(failure)}`)
    }
    for (const command of annotations.commands()) report.command(command)
  }

  async #writeOutputs(file: string | undefined, exitCode: number): Promise<void> {
    if (file === undefined || this.#command === '') return
    const none = this.#command === 'push' ? { inserted: 0, updated: 0, accepted: 0, rejected: 0, commit: '' } : {}
    const outputs = { ...none, ...this.#summary?.outputs, exit: exitCode }
    await appendFile(file, Object.entries(outputs).map(outputLines).join(''))
  }

  async #writeSummary(file: string | undefined, exitCode: number, error: unknown): Promise<void> {
    if (file === undefined || this.#command === '') return
    const text = error === undefined ? this.#summary?.summary : failureSummary(this.#command, exitCode, error)
    if (text === undefined) return
    const size = await stat(file).then(
      ({ size }) => size,
      () => 0,
    )
    await appendFile(file, cutTo(`${text}\n`, MAX_SUMMARY_BYTES - size))
  }
}

/** Formats an output as `name=value`, or with a delimiter if the value has several lines. */
function outputLines([name, value]: readonly [string, string | number]): string {
  const text = String(value)
  if (!/[\r\n]/.test(text)) return `${name}=${text}\n`
  const delimiter = `ghadelimiter_${randomUUID()}`
  return `${name}<<${delimiter}\n${text}\n${delimiter}\n`
}
