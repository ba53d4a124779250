/** The workers of this machine do what hosts put into Redis. */
import path from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { RemoteError } from '../remote/address.ts'
import { startMachine } from '../remote/machine.ts'
import { defaultDataFolder } from '../store/folder.ts'
import { userFolder } from './data.ts'
import { EXIT, UserError } from './errors.ts'
import { dataFolderOption, localOptions, redisOptions } from './options.ts'
import { addressOf, openPool, type SessionOptions } from './session.ts'
import { note } from './text.ts'

type Options = SessionOptions & {
  readonly name?: string
  readonly data: readonly string[]
  readonly lease: number
}

const work = async (options: Options): Promise<number> => {
  const address = addressOf(options)
  if (!address) throw new UserError('worker: needs --redis <url>, got none')
  const data = options.data.map(userFolder)
  const pool = openPool(options)
  try {
    const machine = await startMachine({
      address,
      pool,
      name: options.name,
      folder: path.join(options.dataFolder ?? defaultDataFolder(), 'remote'),
      data,
      note,
      leaseMs: 1000 * options.lease,
    })
    note(`takes work (${pool.count} at once). Ctrl-C: finishes what it has and ends; twice: gives it back`)
    let asked = false
    process.on('SIGINT', () => {
      if (asked) void machine.stop()
      else machine.drain()
      asked = true
    })
    process.on('SIGTERM', () => void machine.stop())
    const ended = await machine.ended
    if (ended instanceof RemoteError) throw new UserError(ended.message)
    note(ended === 'drained' ? 'drained' : 'stopped; what it had is given back')
    return EXIT.done
  } catch (error) {
    throw error instanceof RemoteError ? new UserError(error.message) : error
  } finally {
    pool.close()
  }
}

const lease = (text: string): number => {
  const value = Number(text)
  if (!(value >= 0.5 && value <= 3600)) throw new InvalidArgumentError('needs seconds from 0.5 to 3600.')
  return value
}

export const addWorker = (program: Command): void => {
  const command = program
    .command('worker')
    .description('do what searches and transfers with --redis put into Redis, until it is drained or ended')
    .option('--name <name>', 'how this machine is called (default: its host name)')
    .addOption(
      new Option('--data <folder>', 'a data set that is on this machine, wherever; as often as needed')
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], 'none'),
    )
    .addOption(
      new Option('--lease <seconds>', 'without a sign for so long, its work goes to another machine')
        .argParser(lease)
        .default(30),
    )
  for (const option of [...redisOptions(), ...localOptions(), dataFolderOption()]) command.addOption(option)
  command.action(async (options: Options) => {
    // BullMQ would wait for a Redis that is gone.
    process.exit(await work(options))
  })
}
