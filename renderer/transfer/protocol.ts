/** What one press of "Promote" asks for: tasks, preset and data; remembered, and always said beside the button. */
import { z } from 'zod'
import { splitChoice, type SplitChoice } from '../../shared/records/data.ts'
import type { PresetName } from '../../shared/records.ts'
import {
  comparisonOf,
  TRANSFER_TASK_NAMES,
  TRANSFER_TASKS,
  transferPreset,
  type TransferConfig,
  type TransferTaskName,
} from '../../shared/transfer.ts'

/** A data set in place of the preset's own. */
export type DataChoice = SplitChoice & { readonly kind: string; readonly path: string }
/** The tasks that layers are promoted to. */
export const PROMOTED: readonly TransferTaskName[] = TRANSFER_TASK_NAMES.filter(
  (task) => TRANSFER_TASKS[task].promoted,
)
type DataChoices = Readonly<Partial<Record<TransferTaskName, DataChoice | null>>>
/** Each task's data is the preset's. */
export const PRESET_DATA: DataChoices = Object.fromEntries(PROMOTED.map((task) => [task, null]))

export type Protocol = {
  /** One task, or all that layers are promoted to. */
  readonly tasks: TransferTaskName | 'both'
  readonly preset: PresetName
  /** null: the preset's. */
  readonly data: DataChoices
}

export const FIRST_PROTOCOL: Protocol = {
  tasks: 'both',
  preset: 'demo',
  data: PRESET_DATA,
}

export const tasksOf = ({ tasks }: Protocol): readonly TransferTaskName[] =>
  tasks === 'both' ? PROMOTED : [tasks]

export const configOf = (protocol: Protocol, task: TransferTaskName): TransferConfig => {
  const preset = transferPreset(task, protocol.preset)
  const choice = protocol.data[task]
  if (!choice) return preset
  const { path: _, ...data } = preset.data
  const { trainingSplit, validationSplit } = choice
  const only = TRANSFER_TASKS[task].dataSets[choice.kind]?.side
  const side = only ? { imageSize: only } : {}
  const path = needsPath(task, choice.kind)
    ? {
        path: choice.path,
        ...(trainingSplit === undefined ? {} : { trainingSplit }),
        ...(validationSplit === undefined ? {} : { validationSplit }),
      }
    : {}
  return { ...preset, data: { ...data, ...side, ...path, kind: choice.kind } } as TransferConfig
}

export const configsOf = (protocol: Protocol): TransferConfig[] =>
  tasksOf(protocol).map((task) => configOf(protocol, task))

/** The data set that a protocol uses for a task. */
export const dataOf = (protocol: Protocol, task: TransferTaskName): DataChoice => {
  const own = transferPreset(task, protocol.preset).data
  return protocol.data[task] ?? { kind: own.kind, path: own.path ?? '' }
}

export const needsPath = (task: TransferTaskName, kind: string): boolean =>
  TRANSFER_TASKS[task].dataSets[kind]?.needsPath ?? false

/** What is missing before it can be asked for, or null. */
export const problemOf = (protocol: Protocol): string | null => {
  for (const task of tasksOf(protocol)) {
    const { kind, path } = dataOf(protocol, task)
    if (needsPath(task, kind) && path.trim() === '')
      return `${TRANSFER_TASKS[task].label}: ${dataLabel(task, kind)} needs the folder it is in.`
  }
  return null
}

/** The same, where several stand side by side. */
export const shortDataLabel = (task: TransferTaskName, kind: string): string =>
  TRANSFER_TASKS[task].dataSets[kind]?.short ?? dataLabel(task, kind)

export const dataLabel = (task: TransferTaskName, kind: string): string =>
  TRANSFER_TASKS[task].dataSets[kind]?.label ?? kind

export const presetLabel = ({ task, preset }: Pick<TransferConfig, 'task' | 'preset'>): string =>
  TRANSFER_TASKS[task].presets[preset].label

/** "both tasks, demo preset", for a button's tooltip. */
export const protocolText = (protocol: Protocol): string => {
  const what = protocol.tasks === 'both' ? 'both tasks' : TRANSFER_TASKS[protocol.tasks].label.toLowerCase()
  return `${what}, ${presetLabel({ task: tasksOf(protocol)[0]!, preset: protocol.preset }).toLowerCase()} preset`
}

/** Comparisons a protocol comes to: promotions of one layer with the same are the same. */
export const comparisonsOf = (protocol: Protocol): string[] => configsOf(protocol).map(comparisonOf)

const choiceSchema = z.object({ kind: z.string(), path: z.string(), ...splitChoice }).nullable()
const protocolSchema: z.ZodType<Protocol> = z.object({
  tasks: z.enum(['both', ...PROMOTED]),
  preset: z.enum(['demo', 'overnight', 'paper']),
  data: z.object(Object.fromEntries(PROMOTED.map((task) => [task, choiceSchema]))),
})

/** A protocol as it was kept; what is not understood, or names a data set that is no more, is the first one. */
export const readProtocol = (text: string | null): Protocol => {
  try {
    const protocol = protocolSchema.parse(JSON.parse(text ?? ''))
    const known = PROMOTED.every((task) => {
      const choice = protocol.data[task]
      return !choice || Object.hasOwn(TRANSFER_TASKS[task].dataSets, choice.kind)
    })
    return known ? protocol : FIRST_PROTOCOL
  } catch {
    return FIRST_PROTOCOL
  }
}
