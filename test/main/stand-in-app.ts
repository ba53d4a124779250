import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventFrame, StoredEvent } from '../../shared/contract.ts'
import { PRESETS } from '../../shared/catalog.ts'
import type { EvolutionConfig, SearchConfig } from '../../shared/records.ts'

const folders: string[] = []
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** An empty data folder. It goes with this process: a test's end comes before that of what it started and writes there. */
export const dataFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'normforge-test-'))
  folders.push(folder)
  return folder
}

/** The demo search with a budget of candidates instead of seconds, so that it repeats. */
export const shortSearch = (evolution: Partial<EvolutionConfig> = {}): SearchConfig => ({
  ...PRESETS.demo.config,
  evolution: {
    ...PRESETS.demo.config.evolution,
    maxSeconds: 0,
    maxTrained: 16,
    initialSize: 8,
    population: 10,
    rerank: { count: 2, steps: 400 },
    ...evolution,
  },
})

/** Collects the stored events of a subscription. */
export const collect = (): {
  readonly events: StoredEvent[]
  readonly listener: (frame: EventFrame) => void
} => {
  const events: StoredEvent[] = []
  return {
    events,
    listener: (frame) => {
      for (const event of frame.events) if (event.kind !== 'workers') events.push(event)
    },
  }
}

/** Waits until `condition` holds; an error says what it waited for. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  seconds = 60,
): Promise<void> => {
  const end = Date.now() + seconds * 1000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
