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
  const command = `vortex-ingest push results.jsonl --server ${location.origin}`
  say('Nothing has been pushed here yet. ', element('code', {}, command))
}

function say(...children: readonly Child[]): void {
  const notice = part('notice')
  notice.hidden = false
  notice.replaceChildren(...children.filter(child => child !== undefined))
}
