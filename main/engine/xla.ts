/**
 * Whether XLA pays for a network: its steps may be quicker, its first one takes seconds or minutes longer. Measured on a
 * machine by `npm run bench -- tune`; where nothing was, nothing is compiled.
 */
import fs from 'node:fs'
import { z } from 'zod'
import { machineFile } from '../setup/machine.mjs'
import { architectureNameSchema } from '../../shared/records/search-config.ts'
import type { ArchitectureConfig } from '../../shared/records.ts'
import { accelerating } from './jit/accelerate.ts'
import { loadRuntime } from './runtime.ts'

const way = z.strictObject({
  /** From layer graph to first finished step. */
  firstSeconds: z.number().positive(),
  stepMs: z.number().positive(),
})
const schema = z.array(
  z.strictObject({
    name: architectureNameSchema,
    width: z.number().positive(),
    depth: z.number().positive(),
    plain: way,
    xla: way,
  }),
)
export type XlaRow = z.infer<typeof schema>[number]

export const xlaFile = (): string => machineFile('xla.json')

/** What was measured here; nothing where the file is missing or not as it should be. */
export const readXla = (file = xlaFile()): readonly XlaRow[] => {
  try {
    return schema.parse(JSON.parse(fs.readFileSync(file, 'utf8')))
  } catch {
    return []
  }
}

/** Whether a training of so many steps ends sooner with XLA, by the same architecture of the most similar size. */
export const pays = (rows: readonly XlaRow[], config: ArchitectureConfig, steps: number): boolean => {
  const octaves = ({ width, depth }: Pick<XlaRow, 'width' | 'depth'>): number =>
    Math.abs(Math.log2(width / config.width)) + Math.abs(Math.log2(depth / config.depth))
  const [row] = rows.filter(({ name }) => name === config.name).sort((a, b) => octaves(a) - octaves(b))
  if (!row) return false
  const seconds = ({ firstSeconds, stepMs }: XlaRow['plain']): number =>
    firstSeconds + (steps * stepMs) / 1000
  return seconds(row.xla) < seconds(row.plain)
}

let measured: readonly XlaRow[] | undefined

/** Programs of a network that is to be trained for so many steps, with XLA where the runtime's options say so. */
export const compiledWherePaying = <T>(config: ArchitectureConfig, steps: number, make: () => T): T => {
  const { xla = 'measured' } = loadRuntime().options
  if (xla !== 'measured') return make()
  measured ??= readXla()
  return pays(measured, config, steps) ? accelerating({ xla: true }, make) : make()
}
