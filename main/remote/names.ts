/** What is kept in Redis, and under which names. BullMQ's own keys begin with the same prefix. */
export const PREFIX = 'normforge'

export const NAMES = {
  hosts: `${PREFIX}:hosts`,
  host: (id: string) => `${PREFIX}:host:${id}`,
  machines: `${PREFIX}:machines`,
  machine: (id: string) => `${PREFIX}:machine:${id}`,
  /** An answer that no host has taken yet. */
  answer: (key: string) => `${PREFIX}:answer:${key}`,
  /** The job is not wanted any more. */
  cancelled: (key: string) => `${PREFIX}:cancelled:${key}`,
  /** The machine is to take nothing more. */
  drained: (machine: string) => `${PREFIX}:drained:${machine}`,
  /** What happened in a transfer, in order. */
  news: (key: string) => `${PREFIX}:news:${key}`,
  /** The newest state of a transfer's run. */
  state: (run: string) => `${PREFIX}:state:${run}`,
  /** Data sets that machines ask hosts for. */
  wanted: `${PREFIX}:wanted`,
  /** The pack of a data set. */
  data: (fingerprint: string) => `${PREFIX}:data:${fingerprint}`,
  chunk: (digest: string, i: number) => `${PREFIX}:chunk:${digest}:${i}`,
  /** Channels. */
  toHosts: `${PREFIX}:to-hosts`,
  toMachines: `${PREFIX}:to-machines`,
} as const

/** Seconds that things are kept for somebody to come for them. */
export const KEPT = {
  presence: 15,
  answer: 24 * 3600,
  cancelled: 3600,
  state: 7 * 24 * 3600,
  data: 3600,
} as const

/** The queue for jobs of one build of the program that need the same data: machines listen to those that they can serve. */
export const queueName = (build: string, needs: string): string => `work-${build}-${needs}`
