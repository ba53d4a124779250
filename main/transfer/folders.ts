/** Where runs keep their checkpoints and pictures: a folder each, named by its key. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ContractError } from '../../shared/contract.ts'
import { kindAt, readBytes } from '../files.ts'
import { makeFolder } from '../setup/disk.mjs'

export type Folders = {
  /** The folder of a run that begins or goes on: made when there is none, rid of what a killed one was writing. */
  open(run: string): string
  /** Names of a run's pictures, by step. */
  pictures(run: string): string[]
  /** A picture's bytes. Throws a ContractError when there is no such picture. */
  picture(run: string, name: string): Buffer
  remove(run: string): void
  /** Removes the folders of runs that are none, left by a crash. */
  sweep(isRun: (key: string) => boolean): void
}

const PICTURE = /^[a-z0-9][a-z0-9-]*\.png$/
/** A picture that is larger is no picture for a page. */
const LARGEST_BYTES = 16 * 2 ** 20

/** The folders of a store's runs, in its data folder. Names come from the contract, which lets no separators through. */
export const transferFolders = (dataFolder: string): Folders => {
  const root = join(dataFolder, 'transfer')
  const pathOf = (run: string): string => join(root, run)
  return {
    open: (run) => {
      makeFolder(pathOf(run))
      for (const name of readdirSync(pathOf(run)))
        if (name.endsWith('.tmp')) rmSync(join(pathOf(run), name), { force: true })
      return pathOf(run)
    },
    pictures: (run) =>
      existsSync(pathOf(run))
        ? readdirSync(pathOf(run))
            .filter((name) => PICTURE.test(name))
            .sort((a, b) => stepOf(a) - stepOf(b) || (a < b ? -1 : 1))
        : [],
    picture: (run, name) => {
      const file = join(pathOf(run), name)
      if (!PICTURE.test(name) || kindAt(file) === null)
        throw new ContractError('missing', `run ${run} has no picture "${name}"`)
      try {
        return readBytes(file, { who: 'picture', most: LARGEST_BYTES })
      } catch (error) {
        throw new ContractError('invalid', (error as Error).message)
      }
    },
    remove: (run) => rmSync(pathOf(run), { recursive: true, force: true, maxRetries: 3 }),
    sweep: (isRun) => {
      if (!existsSync(root)) return
      for (const name of readdirSync(root)) if (!isRun(name)) rmSync(pathOf(name), { recursive: true })
    },
  }
}

/** The first number in a picture's name. */
const stepOf = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? 0)
