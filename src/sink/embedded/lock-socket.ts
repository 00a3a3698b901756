/** The folder lock on Linux: socket names that only one process can have and that go with it. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { type Server, connect, createServer } from 'node:net'
import { systemCodeOf } from '../../errors.js'

/** What sun_path holds after its first byte. Node pads shorter abstract names up to 20 and not from 22 on. */
const ABSTRACT_NAME_CHARS = 107

/**
 * Takes the lock of an existing folder and returns what releases it, or undefined when somebody else has it.
 *
 * An abstract name excludes atomically, but only inside one network namespace, and every container has its own.
 * A socket file in the folder is seen from all of them; it outlives its process, and is stale when nobody listens.
 * (What stays open: two containers that at the same instant find the same stale file.)
 */
export async function takeSocketLock(dir: string): Promise<(() => Promise<void>) | undefined> {
  const folder = await openFolder(dir)
  const held: Server[] = []
  const release = async () => {
    await Promise.all(held.map(stop))
    await folder.close()
  }
  try {
    if ((await hold(held, await abstractName(folder))) && (await holdSocketFile(held, folder))) return release
  } catch (error) {
    await release()
    throw error
  }
  await release()
  return undefined
}

/** Whether somebody has the lock of an existing folder: somebody listens at one of its names. */
export async function isSocketLocked(dir: string): Promise<boolean> {
  const folder = await openFolder(dir)
  try {
    return (await answers(await abstractName(folder))) || (await answers(socketFile(folder)))
  } finally {
    await folder.close()
  }
}

function openFolder(dir: string): Promise<FileHandle> {
  // What is no folder is told as such, and a FIFO waits for nobody.
  return open(dir, constants.O_RDONLY | constants.O_DIRECTORY)
}

/** Device and inode name the folder whatever path led to it. */
async function abstractName(folder: FileHandle): Promise<string> {
  const { dev, ino } = await folder.stat({ bigint: true })
  const hash = createHash('sha512').update(`${dev}:${ino}`).digest('hex')
  return `\0${`vortex-ingest-${hash}`.slice(0, ABSTRACT_NAME_CHARS)}`
}

async function holdSocketFile(held: Server[], folder: FileHandle): Promise<boolean> {
  const path = socketFile(folder)
  if (await answers(path)) return false
  await rm(path, { force: true })
  // A file system that has no sockets leaves the abstract name, which is enough outside containers.
  return hold(held, path).catch(() => true)
}

/** Through the descriptor, because a socket's path may have 107 bytes and a folder's more. */
function socketFile({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}/db.sock`
}

async function hold(held: Server[], path: string): Promise<boolean> {
  const server = createServer(socket => socket.destroy())
  server.listen({ path, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    if (systemCodeOf(error) === 'EADDRINUSE') return false
    throw error
  }
  server.unref()
  held.push(server)
  return true
}

/** True when a process listens there; a full backlog (EAGAIN) is one that is busy. */
async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'EAGAIN') return true
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false
    throw error
  } finally {
    socket.destroy()
  }
}

async function stop(server: Server): Promise<void> {
  await new Promise(resolve => server.close(resolve))
}
