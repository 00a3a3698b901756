/** The clock for durations. */

/**
 * Milliseconds since an unspecified moment. Changes of the system clock do not affect it. Unlike `performance.now()`, it makes Node 20
 * load no further module, which costs one percent of a small push.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
