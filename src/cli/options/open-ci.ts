/** Opens the integration with the CI service, which is loaded only when the program runs in that service. */

import { fstatSync } from 'node:fs'
import type { Environment } from '../../commit/ci.js'
import { githubConfig } from '../../config/environment.js'
import type { Annotations } from '../output/github/annotations.js'
import type { GithubStep } from '../output/github/step.js'
import type { Report } from '../output/report.js'

export type OpenCi = { readonly annotations: Annotations; readonly stepOf: (report: Report) => GithubStep }

/** @returns undefined if no CI service reads workflow commands */
export async function openCi(env: Environment, stderr: { readonly fd: number }): Promise<OpenCi | undefined> {
  const config = githubConfig(env)
  if (config === undefined) return undefined
  const [{ Annotations }, { GithubStep }] = await Promise.all([
    import('../output/github/annotations.js'),
    import('../output/github/step.js'),
  ])
  const masks = !isFile(stderr.fd)
  const annotations = new Annotations(config.workspace)
  return { annotations, stepOf: report => new GithubStep({ config, annotations, report, env, masks }) }
}

/** Whether stderr is a file. The runner does not read files, so a command to mask a secret would only store it there. */
function isFile(descriptor: number): boolean {
  return fstatSync(descriptor).isFile()
}
