/** Draws one line, with dots where there is room for them. */

import type { Values } from '../model/line.js'
import type { Style } from '../model/style.js'
import type { Place } from './place.js'

/** Points that are so many pixels apart are dots; where they are closer the line says it. */
const DOT_ROOM = 24
const DOT_RADIUS = 2.5
const LONE_DOT_RADIUS = 5
/** A wide path is filled, which takes far longer than twice the time for twice the points. */
const PIECE = 64

export type Stroke = {
  readonly values: Values
  readonly style: Style
  /** Only every so many commits; 1 for all. */
  readonly stride: number
}

/** What it takes to draw a line, as multiples of a thin line's point. */
export function effort(style: Style, place: Place): number {
  const points = place.span.last - place.span.first + 1
  return Math.max(100, points) * (isThin(style) ? 1 : 8) + (hasDots(place) ? 15 * points : 0)
}

export function strokeLine(context: CanvasRenderingContext2D, stroke: Stroke, place: Place): void {
  const { colour, width, dash } = stroke.style
  context.strokeStyle = colour
  context.lineWidth = width
  context.lineJoin = 'round'
  // Pieces of a line meet in a round corner; dashes stay as long as they are.
  context.lineCap = dash.length === 0 ? 'round' : 'butt'
  context.setLineDash([...dash])
  const points = pointsOf(stroke, place)
  if (isThin(stroke.style)) strokePiece(context, points, 0, points.length)
  else strokePieces(context, points)
}

/** As flat pairs: left, top. */
type Points = Float64Array

/** One for all lines: to make one for each of many would be more work than to fill it. */
let room = new Float64Array(4_096)

function strokePieces(context: CanvasRenderingContext2D, points: Points): void {
  let length = 0
  for (let from = 0; from < points.length; from += 2 * PIECE) {
    // The next one begins where this one ends.
    const to = Math.min(points.length, from + 2 * PIECE + 2)
    context.lineDashOffset = length
    strokePiece(context, points, from, to)
    length += lengthOf(points, from, to)
  }
  context.lineDashOffset = 0
}

function strokePiece(context: CanvasRenderingContext2D, points: Points, from: number, to: number): void {
  context.beginPath()
  for (let index = from; index < to; index += 2) context.lineTo(points[index]!, points[index + 1]!)
  context.stroke()
}

function lengthOf(points: Points, from: number, to: number): number {
  let length = 0
  for (let index = from + 2; index < to; index += 2)
    length += Math.hypot(points[index]! - points[index - 2]!, points[index + 1]! - points[index - 1]!)
  return length
}

/** Those in sight, and the next one on each side, as far away as it may be; until it is called again. */
function pointsOf({ values, stride }: Stroke, { span, left, top }: Place): Points {
  const [first, last] = [measured(values, span.first - 1, -1), measured(values, span.last + 1, 1)]
  if (room.length < 2 * values.length) room = new Float64Array(2 * values.length)
  let length = 0
  for (let at = first, next = first; at <= last; at++) {
    const value = values[at] ?? null
    if (value === null || (at < next && at !== last)) continue
    room[length++] = left(at)
    room[length++] = top(value)
    // By the same commits wherever it begins: a line that is moved does not flicker.
    next = (Math.floor(at / stride) + 1) * stride
  }
  return room.subarray(0, length)
}

/** The nearest commit from `at` on with a value. */
function measured(values: Values, at: number, step: 1 | -1): number {
  while (at >= 0 && at < values.length && values[at] === null) at += step
  return at
}

export function drawDots(
  context: CanvasRenderingContext2D,
  { values, style }: Omit<Stroke, 'stride'>,
  place: Place,
): void {
  if (!hasDots(place)) return
  const radius = values.length < 2 ? LONE_DOT_RADIUS : DOT_RADIUS
  context.fillStyle = style.colour
  context.beginPath()
  for (let at = place.span.first; at <= place.span.last; at++) {
    const value = values[at] ?? null
    if (value === null) continue
    const [left, top] = [place.left(at), place.top(value)]
    context.moveTo(left + radius, top)
    context.arc(left, top, radius, 0, 2 * Math.PI)
  }
  context.fill()
}

function hasDots({ span, width }: Place): boolean {
  return (span.last - span.first) * DOT_ROOM < width
}

/** Of no more than a pixel of the screen: browsers draw it segment by segment. */
function isThin({ width }: Style): boolean {
  return width * devicePixelRatio <= 1
}
