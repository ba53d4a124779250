/** What this machine's processor can run, and which instruction sets the engine's tests keep its libraries to. */
import fs from 'node:fs'

/** What ONEDNN_MAX_CPU_ISA is set to; `own`: left alone. */
export type InstructionSet = 'SSE41' | 'AVX2' | 'own'

const flags: ReadonlySet<string> = new Set(
  (fs.existsSync('/proc/cpuinfo') ? fs.readFileSync('/proc/cpuinfo', 'utf8') : '')
    .split('\n')
    .find((line) => line.startsWith('flags'))
    ?.split(/[\s:]+/),
)
const hasAll = (...names: readonly string[]): boolean => names.every((name) => flags.has(name))

export const hasAvx2 = hasAll('avx2')
/** Whether oneDNN has more than AVX2 to choose from here: else what it does with AVX2 is all there is. */
export const beyondAvx2 = hasAvx2 && ['avx512f', 'avx_vnni'].some((name) => flags.has(name))

/** The sets that differ here, narrowest first. */
export const instructionSets: readonly InstructionSet[] = [
  ...(hasAll('sse4_1') ? (['SSE41'] as const) : []),
  ...(beyondAvx2 ? (['AVX2'] as const) : []),
  'own',
]

const LEVEL_2 = ['cx16', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3']
const LEVEL_3 = [...LEVEL_2, 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe']
/** What -march can be set to for programs that are to run here (psABI levels of x86-64). */
export const marches: readonly string[] = [
  ...(hasAll(...LEVEL_2) ? ['x86-64-v2'] : []),
  ...(hasAll(...LEVEL_3) ? ['x86-64-v3'] : []),
  'native',
]
