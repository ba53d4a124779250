/** A transfer's checkpoints on their way between host and machines: the files of its folder that it goes on from. */
import fs from 'node:fs'
import path from 'node:path'
import type { Redis } from 'ioredis'
import { dropBlock, MOST_BYTES, receiveBlock, sendBlock } from './chunks.ts'
import { readAs, stateSchema, type RunState } from './messages.ts'
import { KEPT, NAMES } from './names.ts'
import { pack, unpack, type Packed } from './pack.ts'

const NAME = /^[a-z0-9][a-z0-9-]{0,80}\.bin$/
const stepOf = (name: string): number => Number(/^checkpoint-(\d+)\.bin$/.exec(name)?.[1] ?? 0)

/** Without the checkpoints that a newer one follows. */
const stateFiles = (folder: string): Packed[] => {
  const names = fs.readdirSync(folder).filter((name) => NAME.test(name))
  const newest = Math.max(0, ...names.map(stepOf))
  return names
    .filter((name) => stepOf(name) === 0 || stepOf(name) === newest)
    .map((name) => ({ name, file: path.join(folder, name) }))
}

/** Changes whenever one of the files does. */
export const markOfState = (folder: string): string =>
  stateFiles(folder)
    .map(({ name, file }) => `${name} ${fs.statSync(file).mtimeMs}`)
    .join('\n')

export const newestState = async (redis: Redis, run: string): Promise<RunState | null> =>
  readAs(stateSchema, await redis.get(NAMES.state(run)))

/**
 * Puts a folder's state into Redis, in place of the one there. False where there is none, or it is too large to travel: then
 * another machine begins anew.
 */
export const sendState = async (
  redis: Redis,
  run: string,
  folder: string,
  step: number,
): Promise<boolean> => {
  const files = stateFiles(folder)
  const bytes = files.reduce((sum, { file }) => sum + fs.statSync(file).size, 0)
  if (files.length === 0 || bytes > MOST_BYTES - 2 ** 20) return false
  const before = await newestState(redis, run)
  const block = await sendBlock(redis, pack(files), KEPT.state)
  await redis.set(NAMES.state(run), JSON.stringify({ step, block } satisfies RunState), 'EX', KEPT.state)
  if (before && before.block.digest !== block.digest) await dropBlock(redis, before.block)
  return true
}

/** Writes a state into a folder. False when it is not whole: a newer one took its place, or Redis lost it. */
export const receiveState = async (redis: Redis, { block }: RunState, folder: string): Promise<boolean> => {
  try {
    unpack(await receiveBlock(redis, block), folder, (name) => NAME.test(name))
    return true
  } catch {
    return false
  }
}

export const dropState = async (redis: Redis, run: string): Promise<void> => {
  const state = await newestState(redis, run)
  await redis.del(NAMES.state(run))
  if (state) await dropBlock(redis, state.block)
}
