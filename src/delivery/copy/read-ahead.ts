/** Makes the next item while the current one is used. */

/** @param release frees an item that nobody will use. */
export async function* readAhead<T>(items: AsyncGenerator<T>, release: (item: T) => Promise<void>): AsyncGenerator<T> {
  const request = (): Promise<IteratorResult<T>> => {
    const next = items.next()
    // Handled where it is awaited; until then the rejection must not count as unhandled.
    next.catch(() => undefined)
    return next
  }
  let pending: Promise<IteratorResult<T>> | undefined = request()
  try {
    for (;;) {
      const next = await pending
      pending = undefined
      if (next.done === true) return
      pending = request()
      yield next.value
    }
  } finally {
    const unused = await pending?.catch(() => undefined)
    if (unused?.done === false) await release(unused.value)
    await items.return(undefined)
  }
}
