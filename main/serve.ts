/** The browser host's program: serves the page and opens it in the user's browser. */
import { Command } from 'commander'
import open from 'open'
import { startServer } from './browser/server.ts'
import { dataFolderOption, wholeNumber, workerOptions } from './cli/options.ts'
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
}): Promise<void> => {
  const { mixedPrecision, xla } = options
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
for (const option of [dataFolderOption(), ...workerOptions()]) command.addOption(option)
command.action(serve)
command.parseAsync().catch((error: Error) => {
  console.error(`normforge: ${error.message}`)
  process.exitCode = 1
})
