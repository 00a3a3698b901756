/** Long work, done a part a frame, so that no frame waits for all of it. */
export class Slices {
  #frame = 0

  /** Gives up what was begun before. @param parts the first is done now, each further one in a frame of its own */
  begin(parts: Iterator<undefined>): void {
    this.stop()
    if (parts.next().done !== true) this.#frame = requestAnimationFrame(() => this.begin(parts))
  }

  /** From the next frame on: asked for many times before it, it begins once. */
  beginSoon(parts: () => Iterator<undefined>): void {
    this.stop()
    this.#frame = requestAnimationFrame(() => this.begin(parts()))
  }

  stop(): void {
    cancelAnimationFrame(this.#frame)
  }
}
