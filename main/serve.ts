/**
 * The host's program, with two doors to the same api: it serves the page on a loopback port and opens it in the user's
 * browser, or answers the desktop window that started it.
 */
import { Command, Option } from 'commander'
import open from 'open'
import { startServer } from './browser/server.ts'
import { dataFolderOption, wholeNumber, workerOptions } from './cli/options.ts'
import { openDoor } from './desktop/door.ts'
import { version } from './versions.ts'
import type { Xla } from './workers/protocol.ts'

const serve = async (options: {
  port: number
  dataFolder?: string
  workers?: number
  threads?: number
  mixedPrecision?: boolean
  xla?: Xla
  open: boolean
  desktop?: boolean
}): Promise<void> => {
  const { mixedPrecision, xla } = options
  if (options.desktop) return openDoor({ ...options, options: { mixedPrecision, xla } })
  const server = await startServer({ ...options, options: { mixedPrecision, xla } })
  console.log(`NormForge: ${server.url}`)
  // Everybody on this machine can read a program's arguments.
  if (options.open) await open(server.invite()).catch(() => undefined)
  const stop = (): void => void server.close().then(() => process.exit(0))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

const command = new Command('normforge')
  .description('opens the workbench in the browser')
  .version(version)
  .option('--port <number>', 'loopback port; 0: any free one', wholeNumber(0, 65535), 0)
  .option('--no-open', 'only print the address')
  .addOption(new Option('--desktop', 'answer the desktop window that started this').hideHelp())
for (const option of [dataFolderOption(), ...workerOptions()]) command.addOption(option)
command.action(serve)
command.parseAsync().catch((error: Error) => {
  console.error(`normforge: ${error.message}`)
  process.exitCode = 1
})
