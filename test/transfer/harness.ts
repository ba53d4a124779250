import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createApi, type Api } from '../../main/api.ts'
import { spawnNode } from '../../main/workers/process.ts'
import type { Argument, Replies, RequestName } from '../../shared/contract.ts'
import { REPLIES } from '../../shared/replies.ts'
import { transferPreset, type SegmentationConfig, type SynthesisConfig } from '../../shared/transfer.ts'
import { dataFolder, until } from '../main/stand-in-app.ts'
import { tell, type Told } from '../workers/fixture.ts'
import { STAND_IN } from '../workers/stand-in.ts'

const SHORT = {
  evaluateEvery: 20,
  checkpointEvery: 10,
  seeds: 2,
  baselines: ['BN-ReLU', 'EvoNorm-S0'],
}

/** 60 steps, a point at each 20, a checkpoint at each 10; two seeds, two baselines: six runs. */
export const segmentationConfig = (more: Partial<SegmentationConfig> = {}): SegmentationConfig => {
  const preset = transferPreset('segmentation', 'demo') as SegmentationConfig
  return { ...preset, training: { ...preset.training, steps: 60 }, ...SHORT, ...more }
}
export const synthesisConfig = (more: Partial<SynthesisConfig> = {}): SynthesisConfig => {
  const preset = transferPreset('synthesis', 'demo') as SynthesisConfig
  return { ...preset, training: { ...preset.training, steps: 60 }, ...SHORT, ...more }
}

export type App = {
  readonly folder: string
  readonly api: Api
  readonly close: () => Promise<void>
  readonly ask: <N extends RequestName>(name: N, argument: Argument<N>) => Promise<Replies[N]>
  /** "code: message" of what must be refused. */
  readonly refusal: <N extends RequestName>(name: N, argument: Argument<N>) => Promise<string>
  /** Lines of the stand-ins' log about transfers: fingerprint, seed, from or to, step. */
  readonly log: () => string[][]
  readonly retell: (told: Told) => void
  readonly ended: (id: string) => Promise<Replies['transfers.get']>
}

/** The program on stand-ins, with a data folder of its own or one from before. */
export const openApp = (
  t: TestContext,
  { folder = dataFolder(), workers = 2, ...told }: Told & { folder?: string; workers?: number } = {},
): App => {
  const log = join(folder, 'log')
  let now: Told = { ...told, log }
  const api = createApi({
    host: 'browser',
    dataFolder: folder,
    workers,
    evaluator: STAND_IN,
    spawn: (file, args) => {
      tell(now)
      return spawnNode(file, args)
    },
  })
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => (closing ??= api.close())
  t.after(close)
  const ask: App['ask'] = async (name, argument) => {
    const reply = await api.request({ id: 1, name, argument })
    assert.ok(reply.ok, reply.ok ? '' : reply.message)
    return REPLIES[name].parse(reply.value)
  }
  return {
    folder,
    api,
    close,
    ask,
    refusal: async (name, argument) => {
      const reply = await api.request({ id: 1, name, argument })
      assert.ok(!reply.ok, 'needed a refusal')
      return `${reply.code}: ${reply.message}`
    },
    log: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .split('\n')
            .map((line) => line.split(' '))
            .filter(([, , what]) => what === 'from' || what === 'to')
        : [],
    retell: (told) => {
      now = { ...told, log }
    },
    ended: async (id) => {
      const get = () => ask('transfers.get', { id })
      await until('the end of the promotion', async () =>
        ['done', 'failed'].includes((await get()).summary.promotion.state),
      )
      return get()
    },
  }
}

/** What makes up a promotion's outcome: times and the order of events left out. */
export const figures = ({ runs, summary }: Replies['transfers.get']) => ({
  state: summary.promotion.state,
  comparison: summary.comparison,
  runs: runs.map(({ run, label, role, curve, pictures }) => ({
    key: run.key,
    state: run.state,
    result: run.result,
    label,
    role,
    curve,
    pictures,
  })),
})
