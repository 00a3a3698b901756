/** One JSON document with one long array in it, printed as it comes so that memory stays flat. */

import { errorDocument } from './error-report.js'

/** Where the text of a document goes: standard output, or a file. */
export type TextSink = { raw(text: string): void }
export type JsonSink = TextSink & { json(value: unknown): void }

export class JsonArrayReport {
  #elements = 0

  constructor(
    private readonly to: TextSink,
    private readonly name: string,
  ) {}

  element(value: object): void {
    this.to.raw(`${this.#elements++ === 0 ? this.#head() : ',\n'}${JSON.stringify(value)}`)
  }

  /** Closes the array and the document with the rest of its members. */
  end(rest: object): void {
    const tail = JSON.stringify(rest).slice(1)
    this.to.raw(`${this.#elements === 0 ? this.#head() : '\n'}],${tail}\n`)
  }

  /** Ends a document that was begun; where none was, the error will be the whole document. */
  fail(error: unknown): void {
    if (this.#elements > 0) this.end(errorDocument(error))
  }

  #head(): string {
    return `{${JSON.stringify(this.name)}:[`
  }
}
