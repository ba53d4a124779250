/**
 * The host's program, with two doors to the same api: it serves the page on a loopback port and opens it in the user's
 * browser, or answers the desktop window that started it.
 */
import { Command, Option } from 'commander'
import open from 'open'
import { keep, keptFor, newToken } from './browser/kept.ts'
import { startServer, type Server, type ServerOptions } from './browser/server.ts'
import { dataFolderOption, wholeNumber, workerOptions } from './cli/options.ts'
import { addressOf } from './cli/session.ts'
import { openDoor } from './desktop/door.ts'
import { defaultDataFolder } from './store/folder.ts'
import { readAddress } from './remote/address.ts'
import { version } from './versions.ts'
import type { Xla } from './workers/protocol.ts'

const serve = async (options: {
  port?: number
  dataFolder?: string
  workers?: number
  threads?: number
  mixedPrecision?: boolean
  xla?: Xla
  inspectWorker?: number
  redis?: string
  redisCa?: string
  open: boolean
  desktop?: boolean
}): Promise<void> => {
  const { mixedPrecision, xla } = options
  const remote = addressOf(options) ?? undefined
  if (remote) readAddress(remote)
  const given = { ...options, remote, options: { mixedPrecision, xla } }
  if (options.desktop) return openDoor(given)
  const server = await serveAsBefore(given)
  console.log(`NormForge: ${server.url}`)
  // Everybody on this machine can read a program's arguments.
  if (options.open) await open(server.invite()).catch(() => undefined)
  const stop = (): void => void server.close().then(() => process.exit(0))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

/** At the port and with the key of the last start, unless another program has that port by now, or another one is asked for. */
const serveAsBefore = async (options: ServerOptions): Promise<Server> => {
  const folder = options.dataFolder ?? defaultDataFolder()
  const kept = keptFor(folder)
  const begin = async (port: number, token: string): Promise<Server> => {
    const server = await startServer({ ...options, port, token })
    keep(folder, { port: Number(new URL(server.url).port), token })
    return server
  }
  if (options.port !== undefined) return begin(options.port, kept?.token ?? newToken())
  if (!kept) return begin(0, newToken())
  try {
    return await begin(kept.port, kept.token)
  } catch (error) {
    // Perhaps by this very program: its address stays, this one's is for now.
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return startServer({ ...options, port: 0 })
  }
}

const command = new Command('normforge')
  .description('opens the workbench in the browser')
  .version(version)
  .option(
    '--port <number>',
    'loopback port (default: that of the last start); 0: any free one',
    wholeNumber(0, 65535),
  )
  .option('--no-open', 'only print the address')
  .addOption(new Option('--desktop', 'answer the desktop window that started this').hideHelp())
for (const option of [dataFolderOption(), ...workerOptions()]) command.addOption(option)
command.action(serve)
command.parseAsync().catch((error: Error) => {
  console.error(`normforge: ${error.message}`)
  process.exitCode = 1
})
