/**
 * `npm run bench -- gpu`: the engine on this machine's NVIDIA GPU. First every primitive op, known layer, network, second
 * derivative and transfer task beside the CPU's numbers; then steps a second beside PyTorch, in every way that a search can ask
 * for, and what a search should choose. Where there is no GPU, the engine goes the way that it takes on one, on the processor, and
 * what can be known of a GPU from TensorFlow's libraries is told: kernels that lack, waiting within a step, launches.
 *
 *   --wheel           without a GPU: fetches TensorFlow's libraries for one (0.6 GB, once) and asks them
 *   --width W         steps of the networks of the preset demo, overnight (default) or paper
 *   --only TEXT       steps of the cases whose "network layer" contains the text (may be given again)
 *   --workers N       so many processes at once (may be given again; default 1, 2, 4 and 8)
 *   --no-steps        only the checks
 *   --json            the findings as JSON
 *   --kit FOLDER      runs nothing: packs the program, Node, TensorFlow and CUDA's libraries into an empty folder, to be run by its
 *                     run.sh on a machine without network
 *   --part-bytes N    the size of the kit's parts (default 1000000000)
 *   --device D        what the kit's libraries are for: gpu (default; fetches some 2.5 GB) or cpu
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { loadRuntime } from '../../main/engine/runtime.ts'
import { hasNvidiaDriver } from '../../main/setup/places.mjs'
import { PRESETS } from '../../shared/catalog.ts'
import { allCases, EVOLVED, type Width } from './cases.ts'
import { check, describe, isWithin, type Checked } from './gpu/check.ts'
import { chosen, describeChoice, type Choice, type GpuRow } from './gpu/choose.ts'
import { packKit } from './gpu/kit.ts'
import { readRegistry } from './gpu/registry.ts'
import { describeRow, timeWay, waysOf } from './gpu/steps.ts'
import { describeLaunches, describeSurvey, surveyed, type Survey } from './gpu/survey.ts'
import { fetchGpuLibraries, installedLibraries } from './gpu/wheel.ts'
import { findPyTorch } from './peer.ts'

export const benchGpu = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      wheel: { type: 'boolean', default: false },
      width: { type: 'string', default: 'overnight' },
      only: { type: 'string', multiple: true, default: [] },
      workers: { type: 'string', multiple: true, default: ['1', '2', '4', '8'] },
      'no-steps': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      kit: { type: 'string' },
      'part-bytes': { type: 'string', default: '1000000000' },
      device: { type: 'string', default: 'gpu' },
    },
  })
  if (values.kit !== undefined)
    return packKit(values.kit, { device: values.device, partBytes: Number(values['part-bytes']) })
  const say = values.json ? () => undefined : console.log
  const gpu = loadRuntime().binding.isUsingGpuDevice()
  say(gpu ? `${gpuName()}, beside the CPU's numbers` : withoutGpu())
  // A driver that answers is a GPU that should have been found.
  if (!gpu && hasNvidiaDriver()) process.exitCode = 1
  const checks = await check(gpu ? 'gpu' : 'stand-in', (checked) => say(describe(checked)))
  if (!checks.every(isWithin)) process.exitCode = 1
  const survey = await surveyOf(checks, gpu, values.wheel)
  if (survey) say(`${describeSurvey(survey)}\n${describeLaunches(survey)}`)
  else say("skipped the ops' kernels: --wheel fetches TensorFlow's libraries for a GPU and asks them")
  const rows = gpu && !values['no-steps'] ? await stepsOf(values, say) : []
  const choices = choicesOf(rows, values.width)
  if (choices.length > 0)
    say(`a search of the preset ${values.width} should choose, without bfloat16 and with it:`)
  for (const choice of choices) say(`  ${describeChoice(choice)}`)
  if (values.json)
    console.log(
      JSON.stringify(
        {
          gpu,
          checks: checks.map(({ group, tolerance, found }) => ({ group, tolerance, found })),
          launches: survey?.cases,
          missing: Object.fromEntries(survey?.missing ?? []),
          waits: Object.fromEntries(survey?.waits ?? []),
          rows,
          choices,
        },
        null,
        2,
      ),
    )
}

const gpuName = (): string => {
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader']
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : 'a GPU that the driver does not name'
}

const withoutGpu = (): string =>
  hasNvidiaDriver()
    ? "The NVIDIA driver answers, but TensorFlow finds no GPU (TF_CPP_MIN_LOG_LEVEL=0 shows why): the engine takes a GPU's way on the processor"
    : "TensorFlow finds no NVIDIA GPU here: nothing below ran on one. The engine takes a GPU's way on the processor"

const surveyOf = async (checks: readonly Checked[], gpu: boolean, wheel: boolean): Promise<Survey | null> => {
  const libraries = gpu ? installedLibraries() : wheel ? await fetchGpuLibraries() : null
  const results = checks.flatMap(({ group, results }) =>
    results.map((each) => ({ ...each, name: `${group}: ${each.name}` })),
  )
  return libraries && surveyed(results, await readRegistry(libraries))
}

type Steps = {
  readonly width: string
  readonly only: readonly string[]
  readonly workers: readonly string[]
}

const stepsOf = async (
  { width, only, workers }: Steps,
  say: (text: string) => void,
): Promise<readonly GpuRow[]> => {
  const python = findPyTorch()
  if ('missing' in python) say(`skipped PyTorch: ${python.missing}`)
  const peer = 'missing' in python ? {} : { python: python.python }
  const rows: GpuRow[] = []
  for (const given of allCases(width as Width)) {
    const name = `${given.network} ${given.layer}`
    if (only.length > 0 ? !only.some((text) => name.includes(text)) : EVOLVED.includes(given.layer)) continue
    say(`${name}, batch ${given.batch}`)
    for (const way of waysOf(workers.map(Number), 'python' in peer))
      try {
        const row = await timeWay(given, way, peer)
        rows.push(row)
        say(describeRow(row))
      } catch (error) {
        // As when the GPU's memory is too small for so many: the other ways are still worth knowing.
        say(`  ${JSON.stringify(way)} failed: ${(error as Error).message.slice(0, 300)}`)
      }
  }
  return rows
}

/** What a preset's search should choose, without bfloat16 and with it. */
const choicesOf = (rows: readonly GpuRow[], width: string): Choice[] => {
  const { steps } = PRESETS[width as Width].config.training
  return [false, true].flatMap((bfloat16) => chosen(rows, steps, bfloat16) ?? [])
}
