/** The paragraph above the chart that shows notices and errors. */

import { describeError } from '../api.js'
import { button, element, pageElement, type Child } from '../element.js'

export function showNotice(text: string): void {
  showText(text)
}

export function hideNotice(): void {
  pageElement('notice').hidden = true
}

/** @param again called by the button that retries */
export function showError(what: string, error: unknown, again: () => void): void {
  showText(
    `${what}: ${describeError(error)}. `,
    button('Retry', () => (hideNotice(), again())),
  )
}

/** Explains how to push the first records. */
export function showFirstSteps(): void {
  // The URL keeps its path, because a proxy may serve the page below a path prefix.
  const server = new URL('.', location.href).href.replace(/\/$/, '')
  const command = `vortex-ingest push results.jsonl --server ${server} --benchmark-id try`
  const [code, token] = [element('code', {}, command), element('code', {}, 'INGEST_BEARER_TOKEN')]
  showText('No data yet. Push some with ', code, '. If this server requires a token, first set ', token, '.')
}

export function showNoSuchGroup(slug: string): void {
  showText('There is no group ', element('code', {}, slug), ' here. Choose one from the list.')
}

function showText(...children: readonly Child[]): void {
  const notice = pageElement('notice')
  notice.hidden = false
  notice.replaceChildren(...children.filter(child => child !== undefined))
}
