/** Measurements as on a processor that has less: all contestants held to the same instruction sets. */
import { ensureKernels } from '../../main/setup/kernels.ts'

type Limits = Readonly<Record<string, string>>
const SETTINGS: Readonly<Record<string, Limits>> = {
  native: {},
  avx2: {
    NORMFORGE_MARCH: 'x86-64-v3',
    ONEDNN_MAX_CPU_ISA: 'AVX2',
    MKL_ENABLE_INSTRUCTIONS: 'AVX2',
    ATEN_CPU_CAPABILITY: 'avx2',
  },
}

/**
 * Calls `run` with the setting in words, the environment (which contestants inherit) and the engine's kernels those of the
 * setting; afterwards they are this processor's own again.
 */
export const within = async (isa: string, run: (words: string) => Promise<void>): Promise<void> => {
  const limits = SETTINGS[isa]
  if (!limits) throw new Error(`bench: needed --isa ${Object.keys(SETTINGS).join(' or ')}, got "${isa}"`)
  const words = Object.entries(limits).map(([name, value]) => `${name}=${value}`)
  Object.assign(process.env, limits)
  try {
    await ensureKernels()
    await run(words.length > 0 ? `all with ${words.join(' ')}` : "the processor's own instruction sets")
  } finally {
    for (const name of Object.keys(limits)) Reflect.deleteProperty(process.env, name)
    await ensureKernels()
  }
}
