/** The browser host's program: serves the page and opens it in the user's browser. */
import { Command, InvalidArgumentError, Option } from 'commander'
import open from 'open'
import { startServer } from './browser/server.ts'
import { version } from './versions.ts'
import type { Xla } from './workers/protocol.ts'

const wholeNumber = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('needs a whole number')
  return Number(text)
}

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
  .option('--port <number>', 'loopback port; 0: any free one', wholeNumber, 0)
  .option('--data-folder <folder>', 'where searches are kept')
  .option('--workers <number>', 'worker processes (default: as measured at the first search)', wholeNumber)
  .option('--threads <number>', 'threads of each', wholeNumber)
  .option('--mixed-precision', 'products in bfloat16 (tested on processors only)')
  .addOption(
    new Option('--xla <which>', 'networks that XLA compiles (tested on processors only)').choices([
      'never',
      'measured',
      'always',
    ]),
  )
  .option('--no-open', 'only print the address')
  .action(serve)
command.parseAsync().catch((error: Error) => {
  console.error(`normforge: ${error.message}`)
  process.exitCode = 1
})
