/** Runs long work in parts, one per frame, so that the page stays responsive. */
export class FrameScheduler {
  #frame = 0

  /** Cancels earlier work. @param parts the first part runs now, each further one in a frame of its own */
  begin(parts: Iterator<undefined>): void {
    this.stop()
    if (parts.next().done !== true) this.#frame = requestAnimationFrame(() => this.begin(parts))
  }

  /** Begins in the next frame. Several calls before it begin the work only once. */
  beginSoon(parts: () => Iterator<undefined>): void {
    this.stop()
    this.#frame = requestAnimationFrame(() => this.begin(parts()))
  }

  stop(): void {
    cancelAnimationFrame(this.#frame)
  }
}
