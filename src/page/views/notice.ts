/** The line above the chart that shows notices and errors. */

import { messageOf } from '../message.js'
import { button, element, part, type Child } from '../element.js'

export function note(text: string): void {
  say(text)
}

export function quiet(): void {
  part('notice').hidden = true
}

/** @param again called by the button that tries again */
export function failed(what: string, error: unknown, again: () => void): void {
  say(
    `${what}: ${messageOf(error)}. `,
    button('Try again', () => (quiet(), again())),
  )
}

/** Explains how to push the first records. */
export function nothingYet(): void {
  // The URL keeps its path, because a proxy may serve the page below a path prefix.
  const server = new URL('.', location.href).href.replace(/\/$/, '')
  const command = `vortex-ingest push results.jsonl --server ${server} --benchmark-id try`
  const [code, token] = [element('code', {}, command), element('code', {}, 'INGEST_BEARER_TOKEN')]
  say('Nothing has been pushed here yet. ', code, ' Where this server wants a token, set ', token, ' to it first.')
}

export function noSuchSuite(slug: string): void {
  say('There is no suite ', element('code', {}, slug), ' here: choose one of the list.')
}

function say(...children: readonly Child[]): void {
  const notice = part('notice')
  notice.hidden = false
  notice.replaceChildren(...children.filter(child => child !== undefined))
}
