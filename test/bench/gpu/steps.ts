/** Steps a second on a GPU, the engine in every way that can be asked for beside PyTorch, by some processes at once. */
import { spawnSync } from 'node:child_process'
import type { Case } from '../cases.ts'
import { enginePeer, torchPeer, type Make, type Peer } from '../peer.ts'
import type { GpuRow } from './choose.ts'

export type Way = Pick<GpuRow, 'who' | 'xla' | 'bfloat16' | 'workers'>

/** Every way of the engine with every number of workers; PyTorch as one process. */
export const waysOf = (workers: readonly number[], pyTorch: boolean): Way[] => {
  const both = [false, true]
  const engine = workers.flatMap((count) =>
    both.flatMap((bfloat16) =>
      both.map((xla) => ({ who: 'engine', xla, bfloat16, workers: count }) as const),
    ),
  )
  const peers = both.flatMap((bfloat16) =>
    (['PyTorch', 'torch.compile'] as const).map((who) => ({ who, xla: false, bfloat16, workers: 1 })),
  )
  return pyTorch ? [...engine, ...peers] : engine
}

/** Memory of all GPUs in use, as the driver says. */
const gpuBytes = (): number | null => {
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits']
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8' })
  const mebibytes = stdout?.split('\n').filter(Boolean).map(Number) ?? []
  return status === 0 ? 2 ** 20 * mebibytes.reduce((a, b) => a + b, 0) : null
}

/** Steps of each process before those that are timed, and how long these take about. */
const [WARM, SECONDS] = [5, 3]

export const timeWay = async (
  given: Case,
  way: Way,
  { python, device = 'cuda' }: { readonly python?: string; readonly device?: 'cuda' | null },
): Promise<GpuRow> => {
  const before = gpuBytes()
  const peers = Array.from({ length: way.workers }, (): Peer =>
    way.who === 'engine'
      ? enginePeer('engine', 1, {}, { xla: way.xla ? 'always' : 'never', mixedPrecision: way.bfloat16 })
      : torchPeer(way.who, python!, 1),
  )
  const make: Make =
    way.who === 'engine'
      ? {}
      : {
          ...(device === null ? {} : { device }),
          compile: way.who === 'torch.compile',
          bfloat16: way.bfloat16,
        }
  const clock = 'wall'
  const all = async (count: number): Promise<number> => {
    const started = performance.now()
    await Promise.all(peers.map((peer) => peer.ask({ do: 'step', clock, count })))
    return (performance.now() - started) / 1000
  }
  try {
    const made = await Promise.all(peers.map((peer) => peer.ask({ do: 'make', clock, case: given, ...make })))
    const count = Math.max(3, Math.ceil((SECONDS * WARM) / (await all(WARM))))
    const seconds = await all(count)
    const [after, { network, layer }] = [gpuBytes(), given]
    return {
      ...{ network, layer, ...way },
      firstSeconds: Math.max(...made.map(({ seconds }) => seconds)),
      stepsPerSecond: (count * way.workers) / seconds,
      gpuBytes: before === null || after === null ? null : after - before,
    }
  } finally {
    for (const peer of peers) peer.close()
  }
}

export const describeRow = ({ who, xla, bfloat16, workers, ...row }: GpuRow): string => {
  const way = [who, xla ? 'XLA' : '', bfloat16 ? 'bfloat16' : ''].filter(Boolean).join(', ')
  const memory = row.gpuBytes === null ? '' : `${(row.gpuBytes / 2 ** 20).toFixed(0).padStart(6)} MiB`
  return (
    `  ${way.padEnd(24)} × ${workers}  ${row.stepsPerSecond.toFixed(1).padStart(8)} steps/s  ` +
    `first ${row.firstSeconds.toFixed(1).padStart(6)} s  ${memory}`
  )
}
