/**
 * The workbench at work without end, to be killed: `node host.ts <folder> <config as JSON>`. Goes on with what is left in
 * the store; whenever all is done, begins another search and another transfer. Prints "ready" when it has begun.
 */
import { createApi } from '../../main/api.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { readable } from '../../shared/records/unreadable.ts'
import { REPLIES } from '../../shared/replies.ts'
import type { Argument, Replies, RequestName } from '../../shared/contract.ts'
import { synthesisConfig } from '../transfer/harness.ts'

export type Work = { readonly config: SearchConfig; readonly transfers: boolean; readonly workers: number }

const { config, transfers, workers } = JSON.parse(process.argv[3]!) as Work
const api = createApi({ host: 'browser', dataFolder: process.argv[2]!, workers })
const ask = async <N extends RequestName>(name: N, argument: Argument<N>): Promise<Replies[N]> => {
  const reply = await api.request({ id: 1, name, argument })
  if (!reply.ok) throw new Error(reply.message)
  return REPLIES[name].parse(reply.value)
}
const begin = async (): Promise<void> => {
  const searches = readable(await ask('searches.list', {}))
  if (searches.every(({ search }) => search.state === 'done')) {
    const seed = 1 + searches.length
    await ask('searches.create', { name: `search ${seed}`, config: { ...config, seed } })
  }
  const promotions = readable(await ask('transfers.list', {}))
  if (transfers && promotions.every(({ promotion }) => promotion.state === 'done')) {
    const seed = 1 + 10 * promotions.length
    await ask('transfers.promote', { layer: { known: 'EvoNorm-B0' }, config: synthesisConfig({ seed }) })
  }
}
await begin()
console.log('ready')
setInterval(() => void begin(), 200)
