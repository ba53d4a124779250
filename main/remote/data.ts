/** The data sets of a machine, by fingerprint; small ones that it lacks come through Redis from a host. */
import fs from 'node:fs'
import path from 'node:path'
import type { Redis } from 'ioredis'
import { makeFolder } from '../setup/disk.mjs'
import { textOf } from '../files.ts'
import { blockSchema, receiveBlock, sendBlock } from './chunks.ts'
import { fingerprintOf, type Fingerprinted } from './fingerprints.ts'
import { readAs, type Needs, type Word } from './messages.ts'
import { KEPT, NAMES } from './names.ts'
import { pack, unpack } from './pack.ts'

/** Larger data sets do not travel: they are put on each machine by whoever runs it. */
export const TRAVELS_BYTES = 256 * 2 ** 20
const TRAVELS_FILES = 50_000

export const travels = ({ bytes, files }: Fingerprinted): boolean =>
  bytes <= TRAVELS_BYTES && files.length <= TRAVELS_FILES

/** A host's part: what is asked for is put into Redis for an hour. */
export const offerData = async (redis: Redis, { fingerprint, files }: Fingerprinted): Promise<void> => {
  const block = await sendBlock(
    redis,
    pack(files.map(({ name, file }) => ({ name: nameIn(name), file }))),
    KEPT.data,
  )
  await redis.set(NAMES.data(fingerprint), JSON.stringify(block), 'EX', KEPT.data)
}

/** In a pack, a single file's name. */
const SINGLE = '=file'
const nameIn = (name: string): string => (name === '.' ? SINGLE : name)

export class Inventory {
  readonly #redis: Redis
  readonly #folder: string
  readonly #paths = new Map<string, string>()
  readonly #fetching = new Set<string>()

  /** `folder` keeps the data sets that travelled. */
  constructor(redis: Redis, folder: string) {
    this.#redis = redis
    this.#folder = folder
  }

  /** Reads what the machine was given and what came to it before; what changed on the way is left out. */
  async take(given: readonly string[]): Promise<void> {
    for (const where of given) this.#paths.set((await fingerprintOf(where)).fingerprint, where)
    makeFolder(this.#folder)
    for (const name of fs.readdirSync(this.#folder)) {
      if (name.includes('.')) continue
      const where = this.#pathIn(path.join(this.#folder, name))
      const { fingerprint } = await fingerprintOf(where)
      if (fingerprint === name) this.#paths.set(name, where)
      else fs.rmSync(path.join(this.#folder, name), { recursive: true, force: true })
    }
  }

  pathOf(fingerprint: string): string | null {
    return this.#paths.get(fingerprint) ?? null
  }

  /** What is lacking for a queue, a sentence each. A small data set is fetched meanwhile. */
  lacks({ data }: Needs): string[] {
    return data.flatMap((wanted) => {
      const { fingerprint, label, bytes, travels } = wanted
      if (this.#paths.has(fingerprint)) return []
      if (!travels || bytes > TRAVELS_BYTES)
        return [
          `has no data set ${label} (${textOf(bytes)}, ${fingerprint.slice(0, 8)}): start it with --data <folder>`,
        ]
      void this.#fetch(fingerprint).catch(() => undefined)
      return [`fetches data set ${label} (${textOf(bytes)})`]
    })
  }

  async #fetch(fingerprint: string): Promise<void> {
    if (this.#fetching.has(fingerprint)) return
    this.#fetching.add(fingerprint)
    try {
      const block = readAs(blockSchema, await this.#redis.get(NAMES.data(fingerprint)))
      if (!block) {
        await this.#redis.sadd(NAMES.wanted, fingerprint)
        await this.#redis.publish(
          NAMES.toHosts,
          JSON.stringify({ kind: 'wanted', key: fingerprint } satisfies Word),
        )
        return
      }
      const bytes = await receiveBlock(this.#redis, block)
      const temporary = path.join(this.#folder, `${fingerprint}.${process.pid}`)
      fs.rmSync(temporary, { recursive: true, force: true })
      unpack(bytes, temporary)
      const found = await fingerprintOf(this.#pathIn(temporary))
      if (found.fingerprint !== fingerprint) fs.rmSync(temporary, { recursive: true, force: true })
      else {
        const whole = path.join(this.#folder, fingerprint)
        // Another worker of this machine may have been quicker.
        if (!fs.existsSync(whole)) fs.renameSync(temporary, whole)
        this.#paths.set(fingerprint, this.#pathIn(whole))
      }
    } finally {
      this.#fetching.delete(fingerprint)
    }
  }

  #pathIn(folder: string): string {
    const single = path.join(folder, SINGLE)
    return fs.existsSync(single) ? single : folder
  }
}
