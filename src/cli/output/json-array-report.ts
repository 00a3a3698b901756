/** Writes a JSON document with one long array element by element, so that memory stays flat. */

import { errorDocument } from './error-report.js'

/** Destination of a document's text: standard output or a file. */
export type TextSink = { raw(text: string): void }
export type JsonSink = TextSink & { json<Shape extends object = never>(value: NoInfer<Shape>): void }

/** @typeParam Name the member that holds the long array */
export class JsonArrayReport<Shape extends { readonly [Key in Name]: readonly object[] }, Name extends string> {
  #elements = 0

  constructor(
    private readonly to: TextSink,
    private readonly name: Name,
  ) {}

  element(value: Shape[Name][number]): void {
    this.to.raw(`${this.#elements++ === 0 ? this.#head() : ',\n'}${JSON.stringify(value)}`)
  }

  /** Closes the array, writes the remaining members and ends the document. */
  end(rest: Omit<Shape, Name>): void {
    this.#end(rest)
  }

  #end(rest: object): void {
    const tail = JSON.stringify(rest).slice(1)
    this.to.raw(`${this.#elements === 0 ? this.#head() : '\n'}],${tail}\n`)
  }

  /** Ends a started document with the error. Without one, nothing is written: the caller prints the error as a document. */
  fail(error: unknown): void {
    if (this.#elements > 0) this.#end(errorDocument(error))
  }

  #head(): string {
    return `{${JSON.stringify(this.name)}:[`
  }
}
