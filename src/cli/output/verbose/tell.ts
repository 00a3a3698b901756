/** Types and formats that the parts of the `--verbose` log share. */

export type Tell = (line: string) => void

export function milliseconds(durationMs: number): string {
  return durationMs < 10_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`
}
