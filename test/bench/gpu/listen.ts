import fs from 'node:fs'
import path from 'node:path'
import { loadRuntime } from '../../../main/engine/runtime.ts'
import { neededFor, nodesOf, type Node } from './graph.ts'

/** What a run asked a native graph for: the nodes that give the outputs fetched. */
export type HeardRun = { readonly fetched: string; readonly nodes: readonly Node[] }

/** Runs `work` and gives every kind of run of a native graph in it, once each; `work` runs as it would unheard. */
export const listening = async (work: () => void | Promise<void>): Promise<HeardRun[]> => {
  const { binding } = loadRuntime()
  const { loadSavedModel, runSavedModel } = binding
  const graphs = new Map<number, Node[]>()
  const heard = new Map<string, HeardRun>()
  Object.assign(binding, {
    loadSavedModel: (folder, tags) => {
      const nodes = nodesOf(fs.readFileSync(path.join(folder, 'saved_model.pb')))
      const id = loadSavedModel(folder, tags)
      graphs.set(id, nodes)
      return id
    },
    runSavedModel: (id, inputs, names, fetched) => {
      const key = `${id} ${fetched}`
      if (!heard.has(key)) heard.set(key, { fetched, nodes: neededFor(graphs.get(id) ?? [], fetched) })
      return runSavedModel(id, inputs, names, fetched)
    },
  } satisfies Partial<typeof binding>)
  try {
    await work()
  } finally {
    Object.assign(binding, { loadSavedModel, runSavedModel })
  }
  return [...heard.values()]
}

/** Makes the engine take this machine for one with a GPU, before it has decided anything by that. */
export const standInForGpu = (): void =>
  void Object.assign(loadRuntime().binding, { isUsingGpuDevice: () => true })
