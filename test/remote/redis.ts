/** A Redis server of a test's own, found on this machine or installed; and a network in front of it that can be cut. */
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { installFromDebian } from '../debian.ts'

const findServer = (): string | null => {
  const onPath = (process.env.PATH ?? '')
    .split(path.delimiter)
    .flatMap((folder) => ['redis-server', 'valkey-server'].map((name) => path.join(folder, name)))
  return (
    onPath.find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    }) ?? null
  )
}

const ensureServer = async (): Promise<string | null> => {
  await installFromDebian(() => (findServer() === null ? ['redis-server'] : []), 'the tests of many machines')
  return findServer()
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })

const CLOSERS: (() => unknown)[] = []
/** Runs before the server ends. */
export const beforeRedisEnds = (close: () => unknown): void => void CLOSERS.push(close)

export type Redis = {
  readonly port: number
  readonly url: string
  /** Ends it with SIGKILL, and starts it anew from its append-only file. */
  restart(): Promise<void>
}

/** With an append-only file, in a folder of its own. null, with the test skipped, where there is none to be had. */
export const startRedis = async (t: TestContext, args: readonly string[] = []): Promise<Redis | null> => {
  const file = await ensureServer()
  if (file === null) {
    t.skip('no redis-server (or valkey-server) on this machine, and none can be installed')
    return null
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-redis-'))
  const port = await freePort()
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  const kept = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction']
  let child: ChildProcess
  const start = async (): Promise<void> => {
    child = spawn(file, [...settings, ...kept, ...args], { stdio: 'ignore' })
    while (!(await answers(port))) await sleep(20)
  }
  const end = (): Promise<unknown> =>
    new Promise((resolve) => {
      child.once('exit', resolve)
      child.kill('SIGKILL')
    })
  await start()
  t.after(async () => {
    // Those that use it end first: BullMQ waits for a server that is gone.
    for (const close of CLOSERS.splice(0)) await close()
    await end()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    restart: async () => {
      await end()
      await start()
    },
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

export type Network = { readonly url: string; cut(): void; mend(): void }

/** A way to a port that can be cut: what is sent meanwhile comes when it is mended, if its sender still waits. */
export const networkTo = async (t: TestContext, port: number): Promise<Network> => {
  const sockets = new Set<net.Socket>()
  let cut = false
  const join = (from: net.Socket, to: net.Socket): void => {
    sockets.add(from)
    from.on('data', (data) => to.write(data))
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    from.on('error', () => undefined)
    if (cut) from.pause()
  }
  const server = net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1')
    join(near, far)
    join(far, near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    url: `redis://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    cut: () => {
      cut = true
      for (const socket of sockets) socket.pause()
    },
    mend: () => {
      cut = false
      for (const socket of sockets) socket.resume()
    },
  }
}
