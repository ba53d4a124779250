/** `node machines-process.ts <redis> <machines> <milliseconds> <folder>`: machines whose evaluations only sleep. */
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startMachine } from '../../main/remote/machine.ts'
import type { Pool } from '../../main/workers/pool.ts'
import { quickPool } from '../search/harness.ts'
import { answer } from '../workers/stand-in.ts'

const [url, count, milliseconds, folder] = process.argv.slice(2)
const pool: Pool = {
  ...quickPool(1),
  count: 1,
  run: async ({ task }) => {
    await sleep(Number(milliseconds))
    return { kind: 'result', result: answer(task) }
  },
}
for (let i = 0; i < Number(count); i++)
  await startMachine({
    address: { url: url! },
    pool,
    name: `${process.pid}-${i}`,
    folder: path.join(folder!, `${process.pid}-${i}`),
  })
process.send!('ready')
