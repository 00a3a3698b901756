/** Draws one line, with dots where there is enough room. */

import type { Values } from '../model/series.js'
import type { Style } from '../model/style.js'
import type { Projection } from './layer.js'

/** Minimum distance in pixels between points that are drawn as dots. */
const DOT_ROOM = 24
const DOT_RADIUS = 2.5
const LONE_DOT_RADIUS = 5
/** Points per path. A wide path is filled, and its cost grows faster than its number of points. */
const PIECE = 64

export type Stroke = {
  readonly values: Values
  readonly style: Style
  /** Draws only every n-th commit; 1 draws all. */
  readonly stride: number
}

/** Estimated work of drawing a line, in points of a thin line. */
export function drawingEffort(style: Style, projection: Projection): number {
  const points = projection.span.last - projection.span.first + 1
  return Math.max(100, points) * (isThin(style) ? 1 : 8) + (hasDots(projection) ? 15 * points : 0)
}

export function strokeSeries(context: CanvasRenderingContext2D, stroke: Stroke, projection: Projection): void {
  const { colour, width, dash } = stroke.style
  context.strokeStyle = colour
  context.lineWidth = width
  context.lineJoin = 'round'
  // Round caps join the pieces of a line. Dashed lines need butt caps, which do not lengthen the dashes.
  context.lineCap = dash.length === 0 ? 'round' : 'butt'
  context.setLineDash([...dash])
  const points = visiblePoints(stroke, projection)
  if (isThin(stroke.style)) strokePiece(context, points, 0, points.length)
  else strokePieces(context, points)
}

/** Coordinates as flat pairs of left and top. */
type Points = Float64Array

/** One buffer for all lines, because allocating one for each line would take longer than filling it. */
let room = new Float64Array(4_096)

function strokePieces(context: CanvasRenderingContext2D, points: Points): void {
  let length = 0
  for (let from = 0; from < points.length; from += 2 * PIECE) {
    // Pieces share a point, so that the line has no gaps.
    const to = Math.min(points.length, from + 2 * PIECE + 2)
    context.lineDashOffset = length
    strokePiece(context, points, from, to)
    length += pathLength(points, from, to)
  }
  context.lineDashOffset = 0
}

function strokePiece(context: CanvasRenderingContext2D, points: Points, from: number, to: number): void {
  context.beginPath()
  for (let index = from; index < to; index += 2) context.lineTo(points[index]!, points[index + 1]!)
  context.stroke()
}

function pathLength(points: Points, from: number, to: number): number {
  let length = 0
  for (let index = from + 2; index < to; index += 2)
    length += Math.hypot(points[index]! - points[index - 2]!, points[index + 1]! - points[index - 1]!)
  return length
}

/** The visible points, and the next point beyond each edge. The result is valid until the next call. */
function visiblePoints({ values, stride }: Stroke, { span, left, top }: Projection): Points {
  const [first, last] = [nearestValue(values, span.first - 1, -1), nearestValue(values, span.last + 1, 1)]
  if (room.length < 2 * values.length) room = new Float64Array(2 * values.length)
  let length = 0
  for (let at = first, next = first; at <= last; at++) {
    const value = values[at] ?? null
    if (value === null || (at < next && at !== last)) continue
    room[length++] = left(at)
    room[length++] = top(value)
    // Commits are chosen by absolute index, so that a line does not flicker while the chart moves.
    next = (Math.floor(at / stride) + 1) * stride
  }
  return room.subarray(0, length)
}

/** The nearest commit with a value, starting from `at`. */
function nearestValue(values: Values, at: number, step: 1 | -1): number {
  while (at >= 0 && at < values.length && values[at] === null) at += step
  return at
}

export function drawDots(
  context: CanvasRenderingContext2D,
  { values, style }: Omit<Stroke, 'stride'>,
  projection: Projection,
): void {
  if (!hasDots(projection)) return
  const radius = values.length < 2 ? LONE_DOT_RADIUS : DOT_RADIUS
  context.fillStyle = style.colour
  context.beginPath()
  for (let at = projection.span.first; at <= projection.span.last; at++) {
    const value = values[at] ?? null
    if (value === null) continue
    const [left, top] = [projection.left(at), projection.top(value)]
    context.moveTo(left + radius, top)
    context.arc(left, top, radius, 0, 2 * Math.PI)
  }
  context.fill()
}

function hasDots({ span, width }: Projection): boolean {
  return (span.last - span.first) * DOT_ROOM < width
}

/** Whether the line is at most one device pixel wide. Browsers draw such lines faster, segment by segment. */
function isThin({ width }: Style): boolean {
  return width * devicePixelRatio <= 1
}
