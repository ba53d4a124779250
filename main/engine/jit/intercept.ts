import { loadRuntime, type Binding, type Values } from '../runtime.ts'

/** What hears of a step's ops in place of the native addon. */
export type Listener = Pick<Binding, 'executeOp' | 'createTensor'> & {
  /** The step asks for the values of a tensor: its number in the addon, null where it was made outside of the step. */
  readonly reads: (id: number | null) => Values
}

/**
 * Runs `step` with `listener` in the addon's place. tfjs gives a new tensor's values to the addon only when an op first
 * takes them; a tensor made before the step that still waits for that goes to the addon itself, so that the listener
 * meets a number that it has not given, instead of a constant of the step.
 */
export const intercept = (listener: Listener, step: () => void): void => {
  const { backend, binding } = loadRuntime()
  const { executeOp, createTensor, tensorDataSync } = binding
  const { getInputTensorIds, move, read, readSync } = backend
  let refused: unknown
  const inside = new WeakSet<object>()
  Object.assign(binding, {
    executeOp: listener.executeOp,
    createTensor: listener.createTensor,
    tensorDataSync: listener.reads,
  } satisfies Partial<Binding>)
  Object.assign(backend, {
    move: (dataId, ...rest) => {
      inside.add(dataId)
      move.call(backend, dataId, ...rest)
    },
    getInputTensorIds: (tensors) => {
      for (const { dataId } of tensors) {
        // 64-bit scalars, which tfjs-node makes where an op needs one, have none.
        const held = dataId && !inside.has(dataId) ? backend.tensorMap.get(dataId) : null
        if (!held?.values) continue
        held.id = createTensor(held.shape, held.dtype, held.values)
        held.values = null
      }
      return getInputTensorIds.call(backend, tensors)
    },
    readSync: (dataId) => {
      const { values, id } = backend.tensorMap.get(dataId)
      return values && !inside.has(dataId) ? listener.reads(null) : (values ?? listener.reads(id))
    },
    // A step that waits for values would never go on; the refusal is told once it has given up its turn.
    read: async (dataId) => {
      try {
        return backend.readSync(dataId)
      } catch (error) {
        refused ??= error
        return new Promise<never>(() => undefined)
      }
    },
  } satisfies Partial<typeof backend>)
  try {
    step()
  } catch (error) {
    throw refused ?? error
  } finally {
    Object.assign(binding, { executeOp, createTensor, tensorDataSync })
    Object.assign(backend, { getInputTensorIds, move, read, readSync })
  }
  if (refused) throw refused
}
