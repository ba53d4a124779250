/** Runs the cases on two devices, or as two devices would, and compares; and finds where the graphs' ops would be placed. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { GROUPS, type Group } from './cases.ts'
import type { CaseResult, Device } from './child.ts'
import { differences, TOLERANCES, type Difference } from './compare.ts'

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

/**
 * A child never sees a GPU but where it is to use one. Products are checked in float32: TF32, which GPUs otherwise take for it,
 * keeps 10 bits of the fraction.
 */
const environmentOf = (device: Device): NodeJS.ProcessEnv => ({
  ...process.env,
  TF_CPP_MIN_LOG_LEVEL: '2',
  NVIDIA_TF32_OVERRIDE: '0',
  ...(device === 'gpu' ? {} : { CUDA_VISIBLE_DEVICES: '-1' }),
})

/** A group's cases on a device, in a process of their own. */
export const runCases = async (
  group: Group,
  device: Device,
  layers: readonly string[] = [],
): Promise<CaseResult[]> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-gpu-'))
  const file = path.join(folder, 'results.json')
  try {
    const flags = ['--disable-warning=ExperimentalWarning', CHILD]
    const child = spawn(process.execPath, [...flags, group, device, file, layers.join()], {
      env: environmentOf(device),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)))
    const how = await new Promise<string | null>((resolve) =>
      child.on('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`))),
    )
    if (how !== null) throw new Error(`gpu: ${group} on the ${device} ended with ${how}: ${errors.trim()}`)
    return JSON.parse(fs.readFileSync(file, 'utf8')) as CaseResult[]
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

export type Checked = {
  readonly group: Group
  readonly tolerance: number
  readonly found: readonly Difference[]
  /** Results of the device that was checked. */
  readonly results: readonly CaseResult[]
}

/** Every group on `device` beside the CPU; `told` hears of each when it is done. */
export const check = async (
  device: 'gpu' | 'stand-in',
  told: (checked: Checked) => void,
): Promise<Checked[]> => {
  const all: Checked[] = []
  for (const group of GROUPS) {
    const results = await runCases(group, device)
    const found = differences(results, await runCases(group, 'cpu'))
    const checked = { group, tolerance: TOLERANCES[group], found, results }
    all.push(checked)
    told(checked)
  }
  return all
}

export const isWithin = ({ tolerance, found }: Checked): boolean =>
  found.length > 0 && found.every(({ share }) => share <= tolerance)

/** One line, and one more for each case beyond the tolerance. */
export const describe = ({ group, tolerance, found }: Checked): string => {
  const line = ({ name, what, share }: Difference): string => `${share.toExponential(1)} in ${name}, ${what}`
  const worst = found.reduce((a, b) => (b.share > a.share ? b : a))
  const beyond = found.filter(({ share }) => share > tolerance)
  return [
    `${group}: ${found.length} cases, ${beyond.length} beyond ${tolerance.toExponential(0)}; worst ${line(worst)}`,
    ...beyond.map((each) => `  beyond: ${line(each)}`),
  ].join('\n')
}
