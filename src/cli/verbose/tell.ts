/** What the parts of --verbose have in common. */

export type Tell = (line: string) => void

export function milliseconds(durationMs: number): string {
  return durationMs < 10_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`
}
