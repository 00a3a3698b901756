/** The folder lock on Linux: socket names that only one process can hold and that are released when it ends. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { type Server, connect, createServer } from 'node:net'
import { systemCodeOf } from '../../errors.js'

/**
 * Length of an abstract socket name: the size of sun_path without its first byte. The full length is used because Node 20
 * pads shorter names and Node 22 does not.
 */
const ABSTRACT_NAME_CHARS = 107

/**
 * Acquires the lock of an existing folder.
 *
 * An abstract socket name is atomic, but only within one network namespace, and every container has its own. A socket file in
 * the folder is visible in all containers. The file outlives its process and is stale when nobody listens on it. One race
 * remains: two containers may find the same stale file at the same instant.
 * @returns a function that releases the lock; undefined when another process holds it
 */
export async function takeSocketLock(dir: string): Promise<(() => Promise<void>) | undefined> {
  const folder = await openFolder(dir)
  const servers: Server[] = []
  const release = async () => {
    await Promise.all(servers.map(closeServer))
    await folder.close()
  }
  try {
    if ((await listenOn(servers, await abstractName(folder))) && (await listenOnSocketFile(servers, folder)))
      return release
  } catch (error) {
    await release()
    throw error
  }
  await release()
  return undefined
}

/** Whether the lock of an existing folder is held, that is, whether a process listens on one of its names. */
export async function isSocketLocked(dir: string): Promise<boolean> {
  const folder = await openFolder(dir)
  try {
    return (await isListening(await abstractName(folder))) || (await isListening(socketFile(folder)))
  } finally {
    await folder.close()
  }
}

function openFolder(dir: string): Promise<FileHandle> {
  // O_DIRECTORY makes anything but a folder fail with ENOTDIR, and keeps a FIFO from blocking.
  return open(dir, constants.O_RDONLY | constants.O_DIRECTORY)
}

/** A name made of the folder's device and inode, so that it is the same for every path to the folder. */
async function abstractName(folder: FileHandle): Promise<string> {
  const { dev, ino } = await folder.stat({ bigint: true })
  const hash = createHash('sha512').update(`${dev}:${ino}`).digest('hex')
  return `\0${`vortex-ingest-${hash}`.slice(0, ABSTRACT_NAME_CHARS)}`
}

async function listenOnSocketFile(servers: Server[], folder: FileHandle): Promise<boolean> {
  const path = socketFile(folder)
  if (await isListening(path)) return false
  await rm(path, { force: true })
  // On a file system without sockets the abstract name alone must do. Outside containers it is sufficient.
  return listenOn(servers, path).catch(() => true)
}

/** The socket file's path through the folder's descriptor, because a socket path is limited to 107 bytes. */
function socketFile({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}/db.sock`
}

async function listenOn(servers: Server[], path: string): Promise<boolean> {
  const server = createServer(socket => socket.destroy())
  server.listen({ path, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    if (systemCodeOf(error) === 'EADDRINUSE') return false
    throw error
  }
  server.unref()
  servers.push(server)
  return true
}

/** Whether a process listens on the socket. EAGAIN means that its backlog is full, so it listens but is busy. */
async function isListening(path: string): Promise<boolean> {
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

async function closeServer(server: Server): Promise<void> {
  await new Promise(resolve => server.close(resolve))
}
