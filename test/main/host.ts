/** The workbench without a page: `node host.ts <folder> <seed>` runs a search and a transfer in it, to their ends. */
import { createApi } from '../../main/api.ts'
import { REPLIES } from '../../shared/replies.ts'
import type { Argument, Replies, RequestName } from '../../shared/contract.ts'
import { synthesisConfig } from '../transfer/harness.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { shortSearch, until } from './stand-in-app.ts'

const [dataFolder, seed] = process.argv.slice(2)
const api = createApi({ host: 'browser', dataFolder, evaluator: STAND_IN, workers: 2 })
const ask = async <N extends RequestName>(name: N, argument: Argument<N>): Promise<Replies[N]> => {
  const reply = await api.request({ id: 1, name, argument })
  if (!reply.ok) throw new Error(reply.message)
  return REPLIES[name].parse(reply.value)
}
const config = { ...shortSearch(), seed: Number(seed) }
const { search } = await ask('searches.create', { name: 'by the host', config })
const layer = { known: 'EvoNorm-B0' }
const { summary } = await ask('transfers.promote', {
  layer,
  config: synthesisConfig({ seed: Number(seed), seeds: 1 }),
})
await until('the ends of both', async () => {
  const [one, other] = [
    await ask('searches.get', { id: search.id }),
    await ask('transfers.get', { id: summary.promotion.id }),
  ]
  return one.search.state === 'done' && other.summary.promotion.state === 'done'
})
await api.close()
