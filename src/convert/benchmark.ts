/** The results of other tools in one form, and the interface of the formats that are read. */

import type { ByteReader } from '../source/byte-reader.js'
import type { Ratio } from './duration.js'

/** One benchmark in the output of a tool. */
export type Benchmark = {
  /** The file and the place in it, for messages. */
  readonly place: string
  /** The full name as the tool prints it. */
  readonly name: string
  /** The part of the name that several benchmarks share, such as a file, a class or a package. */
  readonly group: string
  /** The rest of the name. */
  readonly member: string
  /** Further facts that the tool states, under the tool's own names for them. */
  readonly details: ReadonlyMap<string, string>
  /** Duration of one iteration in nanoseconds, for each run in the order of the runs. Empty if the tool wrote no runs. */
  readonly runtimes: readonly Ratio[]
  /** The median that the tool states. It is used when there are no runs. */
  readonly median?: Ratio | undefined
  /** The commit that the tool states. */
  readonly commitSha?: string | undefined
}

export type ConvertInput = {
  /** The name of the file, or `-`. */
  readonly name: string
  /** The beginning of the file as text. */
  readonly head: string
  /** The bytes of the whole file, decompressed. */
  readonly reader: ByteReader
  readonly warn: (message: string) => void
}

/** Reads the output of one tool. */
export type ToolFormat = {
  /** A command that writes what is read, for hints. */
  readonly writtenBy: string
  readonly read: (input: ConvertInput) => AsyncIterable<Benchmark>
  /** Reads a folder, for a tool that writes one. */
  readonly readFolder?: (path: string) => AsyncIterable<Benchmark>
}
