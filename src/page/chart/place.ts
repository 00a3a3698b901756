/** Converts a commit's index and a value to a position on the lines' canvases, in CSS pixels. */

import type uPlot from 'uplot'
import type { Scale } from '../address.js'
import type { Span } from './options.js'

export type Place = {
  readonly left: (at: number) => number
  readonly top: (value: number) => number
  /** The visible commits. */
  readonly span: Span
  readonly width: number
}

/** Precomputes the conversion for many points, because uPlot's own one looks up its scales for each point. */
export function placeOn({ scales, bbox, data }: uPlot, scale: Scale): Place {
  const { min = 0, max = 1 } = scales['x'] ?? {}
  const { min: least = 0, max: greatest = 1 } = scales['y'] ?? {}
  const [width, height] = [bbox.width / devicePixelRatio, bbox.height / devicePixelRatio]
  const rank = scale === 'log' ? Math.log10 : Number
  const bottom = rank(least)
  const unit = height / (rank(greatest) - bottom)
  return {
    left: at => ((at - min) / (max - min)) * width,
    top: value => height - (rank(value) - bottom) * unit,
    span: { first: Math.max(0, Math.ceil(min)), last: Math.min(data[0].length - 1, Math.floor(max)) },
    width,
  }
}
