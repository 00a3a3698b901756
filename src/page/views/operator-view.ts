/** Targets, their health and the error journal, for operators with a token. The token is stored for this tab only. */

import { hasOperators, readAsOperator } from '../api.js'
import { element, part } from '../element.js'
import { formatTime } from '../format.js'
import { messageOf } from '../message.js'
import { rowsOf, textOf, type Row } from '../model/rows.js'
import { tableOf } from './table.js'

const KEY = 'vortex-ingest-operator-token'

type Section = {
  readonly id: string
  readonly path: string
  readonly columns: readonly string[]
  readonly empty: string
}

const SECTIONS: readonly Section[] = [
  {
    ...{ id: 'targets', path: 'targets', empty: 'No targets are registered.' },
    columns: ['name', 'kind', 'address', 'required', 'bucket', 'lag', 'last_success', 'last_error'],
  },
  {
    ...{ id: 'health', path: 'storage/bucket-health', empty: 'Nothing is known of any bucket.' },
    columns: ['sort', 'name', 'state', 'errors', 'last_success', 'last_error'],
  },
  {
    ...{ id: 'journal', path: 'storage/errors', empty: 'Nothing has failed.' },
    columns: ['time', 'sort', 'name', 'operation', 'code', 'message', 'attempt'],
  },
]

export class OperatorView {
  readonly #token = part('operator-token') as HTMLInputElement

  constructor() {
    part('operator-form').addEventListener('submit', event => {
      event.preventDefault()
      sessionStorage.setItem(KEY, this.#token.value)
      this.#token.value = ''
      void this.show()
    })
    part('operator-leave').addEventListener('click', () => {
      sessionStorage.removeItem(KEY)
      void this.show()
    })
  }

  async show(): Promise<void> {
    this.#showOnly()
    try {
      if (!(await hasOperators())) {
        sessionStorage.removeItem(KEY)
        say('')
        return this.#showOnly('operator-none')
      }
      const token = sessionStorage.getItem(KEY)
      if (token === null) return this.#showOnly('operator-form')
      for (const section of SECTIONS) await fill(section, token)
      say('')
      this.#showOnly('operator-answers')
    } catch (error) {
      sessionStorage.removeItem(KEY)
      this.#showOnly('operator-form')
      say(`This cannot be shown: ${messageOf(error)}.`)
    }
  }

  #showOnly(shown?: string): void {
    for (const id of ['operator-none', 'operator-form', 'operator-answers']) part(id).hidden = id !== shown
  }
}

async function fill({ id, path, columns, empty }: Section, token: string): Promise<void> {
  const rows = rowsOf(await readAsOperator(path, token))
  const told = columns.filter(name => rows.some(row => name in row))
  const cells = told.map(name => ({ heading: name.replaceAll('_', ' '), cell: (row: Row) => cellOf(name, row) }))
  part(id).replaceChildren(tableOf(id, cells, rows, empty))
}

function cellOf(name: string, row: Row): HTMLElement | string {
  const text = textOf(row[name])
  if (name === 'state') return element('span', { class: STATES[text] }, text)
  return /^\d{4}-\d\d-\d\dT/.test(text) ? formatTime(text) : text
}

/** States that have a colour. Unknown states have none. */
const STATES: Readonly<Record<string, string>> = { ok: 'good', recovered: 'good', failing: 'bad' }

function say(text: string): void {
  const failing = part('operator-failed')
  failing.textContent = text
  failing.hidden = text === ''
}
