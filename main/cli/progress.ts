/** Progress on stderr: a bar on a terminal, else a line now and then. */
import { SingleBar } from 'cli-progress'
import type { SearchSummary } from '../../shared/contract.ts'
import { mean } from '../../shared/pareto.ts'
import { count, duration, oneLine, percent } from './text.ts'

/** `part`: 0..1. Where there are lines, a new stage gets one at once. */
export type Step = { readonly part: number; readonly text: string; readonly stage: string }
export type Progress = { show(step: Step): void; end(): void }

const LINE_SECONDS = 15

export const createProgress = (stream: NodeJS.WriteStream = process.stderr): Progress =>
  stream.isTTY ? bar(stream) : lines(stream)

const bar = (stream: NodeJS.WriteStream): Progress => {
  const single = new SingleBar({
    stream,
    format: '{bar} {percentage} %  {text}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 20,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: false,
    // Its own handler would end the program at Ctrl-C, before the search is left in order.
    gracefulExit: false,
  })
  single.start(100, 0, { text: 'starting' })
  return {
    show: ({ part, text }) => single.update(Math.floor(100 * part), { text: oneLine(text) }),
    end: () => single.stop(),
  }
}

const lines = (stream: NodeJS.WriteStream): Progress => {
  let last = -Infinity
  let before = ''
  return {
    show: ({ part, text, stage }) => {
      const now = performance.now() / 1000
      if (now - last < LINE_SECONDS && stage === before) return
      last = now
      before = stage
      stream.write(`${Math.floor(100 * part)} %  ${oneLine(text)}\n`)
    },
    end: () => undefined,
  }
}

export const leftText = ({ low, high }: { low: number; high: number }): string =>
  `${duration(low)} to ${duration(high)} left`

export const searchStep = (summary: SearchSummary): Step => ({
  part: summary.progress ?? 0,
  text: progressText(summary),
  stage: summary.search.stage,
})

/** Stage, counts, the best against the best baseline, and the time left. */
const progressText = ({ search, funnel, best, baselines, eta }: SearchSummary): string => {
  const known = baselines.flatMap(({ name, scores }) => (scores ? [{ name, average: mean(scores) }] : []))
  const top = known.sort((a, b) => b.average - a.average)[0]
  const rejected = funnel.static + funnel.quality + funnel.stability
  return [
    search.stage === 'baselines' ? `baselines ${known.length} of ${baselines.length}` : search.stage,
    `${count(funnel.generated, 'candidate')}: ${funnel.scored} scored, ${rejected} rejected`,
    ...(best ? [`best ${percent(best.average)}`] : []),
    ...(top ? [`${top.name} ${percent(top.average)}`] : []),
    eta ? leftText(eta) : 'time left not known yet',
  ].join(' | ')
}
