/** The line above the chart that says what is going on. */

import { messageOf } from '../message.js'
import { button, element, part, type Child } from '../element.js'

export function note(text: string): void {
  say(text)
}

export function quiet(): void {
  part('notice').hidden = true
}

/** @param again tries once more */
export function failed(what: string, error: unknown, again: () => void): void {
  say(
    `${what}: ${messageOf(error)}. `,
    button('Try again', () => (quiet(), again())),
  )
}

/** What to do before there is anything to see. */
export function nothingYet(): void {
  // A proxy may put the server below a path of its own.
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
