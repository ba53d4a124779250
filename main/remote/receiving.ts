/** A transfer's state and pictures on the host's side: from its folder to machines, and back into it. */
import fs from 'node:fs'
import path from 'node:path'
import type { Redis } from 'ioredis'
import { markOfState, newestState, receiveState, sendState } from './state.ts'

/** A run that was trained here before goes on from there. */
export const bringState = async (redis: Redis, run: string, folder: string): Promise<void> => {
  const mine = Math.max(
    0,
    ...fs.readdirSync(folder).map((name) => Number(/\d+/.exec(/\.bin$/.test(name) ? name : '')?.[0] ?? 0)),
  )
  const there = await newestState(redis, run)
  if (!there || there.step < mine) await sendState(redis, run, folder, mine)
}

/** The newest state; checkpoints that are older than it go. */
export const fetchState = async (redis: Redis, run: string, folder: string): Promise<void> => {
  const before = markOfState(folder)
  const state = await newestState(redis, run)
  if (!state || !(await receiveState(redis, state, folder)) || before === '') return
  for (const name of fs.readdirSync(folder)) {
    const step = /^checkpoint-(\d+)\.bin$/.exec(name)?.[1]
    if (step !== undefined && Number(step) < state.step) fs.rmSync(path.join(folder, name), { force: true })
  }
}

export const writePicture = (folder: string, { name, base64 }: { name: string; base64: string }): string => {
  const file = path.join(folder, name)
  fs.writeFileSync(`${file}.tmp`, Buffer.from(base64, 'base64'))
  fs.renameSync(`${file}.tmp`, file)
  return name
}
