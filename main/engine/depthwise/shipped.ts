/**
 * The tables that come with the program, for machines that have measured nothing themselves: one for each level of x86-64,
 * since what is quickest depends on how wide oneDNN's and the engine's own vectors are. Each was measured by
 * `npm run bench -- tune --cpu --write <file>`, on one thread, with NORMFORGE_MARCH and ONEDNN_MAX_CPU_ISA of its level.
 */
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { levelOf } from '../../setup/processor.mjs'
import { parseTable, type Table } from './table.ts'

type Level = NonNullable<ReturnType<typeof levelOf>>

/** Levels from low to high; a processor below the second takes the second's table. */
const LEVELS: readonly Level[] = ['x86-64-v2', 'x86-64-v3', 'x86-64-v4']
/** The level that each value of ONEDNN_MAX_CPU_ISA leaves; others leave all. */
const LEFT: Readonly<Record<string, Level>> = {
  SSE41: 'x86-64-v2',
  AVX: 'x86-64-v2',
  AVX2: 'x86-64-v3',
  AVX2_VNNI: 'x86-64-v3',
  AVX2_VNNI_2: 'x86-64-v3',
}

/** The shipped table's file for a processor of a level (null: unknown), kept to what ONEDNN_MAX_CPU_ISA says. */
export const shippedFile = (
  level: Level | null = levelOf(),
  isa = process.env.ONEDNN_MAX_CPU_ISA ?? '',
): string => {
  const highest = LEVELS.indexOf(level ?? 'x86-64')
  const left = LEFT[isa.toUpperCase()]
  const at = Math.min(highest, left === undefined ? highest : LEVELS.indexOf(left))
  return fileURLToPath(new URL(`shipped/${LEVELS[Math.max(0, at)]}.json`, import.meta.url))
}

export const shippedTable = (file = shippedFile()): Table => parseTable(fs.readFileSync(file, 'utf8'), file)
