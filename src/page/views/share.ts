/** Buttons that copy a link to what is shown, and save the chart as a table or as a picture. */

import { button, element, pageElement } from '../element.js'

export type ShareOptions = {
  /** The address of what is shown. */
  readonly link: () => string
  /** The chart as comma-separated values; undefined when there is nothing to save. */
  readonly csv: () => string | undefined
  readonly picture: () => HTMLCanvasElement | undefined
  /** Name of saved files, without an ending. */
  readonly name: () => string
}

export function addShareButtons({ link, csv, picture, name }: ShareOptions): void {
  const saveCsv = (): void => {
    const text = csv()
    // The mark at the beginning makes spreadsheets read the file as UTF-8.
    if (text !== undefined) save(new Blob(['\ufeff', text], { type: 'text/csv' }), `${name()}.csv`)
  }
  const savePicture = (): void => picture()?.toBlob(blob => blob !== null && save(blob, `${name()}.png`), 'image/png')
  pageElement('share').append(
    button('Copy link', () => void showCopied(link())),
    button('CSV', saveCsv, { title: 'Save the shown lines as a table' }),
    button('PNG', savePicture, { title: 'Save the chart as a picture' }),
  )
}

async function showCopied(text: string): Promise<void> {
  const done = (await copyText(text)) ? 'Link copied.' : 'The browser did not allow it. Copy the address instead.'
  pageElement('shared').textContent = done
}

/** @returns false when the browser does not allow it */
async function copyText(text: string): Promise<boolean> {
  // Browsers offer the clipboard only to pages from localhost or over HTTPS.
  const { clipboard } = navigator as { readonly clipboard?: Clipboard }
  if (clipboard === undefined) return copySelected(text)
  return clipboard.writeText(text).then(
    () => true,
    () => copySelected(text),
  )
}

/** Copies by selecting the text in a field, which also works over plain HTTP. */
function copySelected(text: string): boolean {
  const field = element('textarea', { class: 'unseen', 'aria-hidden': 'true' })
  field.value = text
  const focused = document.activeElement
  document.body.append(field)
  field.select()
  const isCopied = document.execCommand('copy')
  field.remove()
  if (focused instanceof HTMLElement) focused.focus()
  return isCopied
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  element('a', { href: url, download: name }).click()
  URL.revokeObjectURL(url)
}
