import { loadRuntime } from '../runtime.ts'

type Engine = {
  state: { kernelDepth: number }
  addTapeNode(...node: unknown[]): void
}

/** Runs `f` off the tape: what it gives counts as constant to the gradient. */
export const stopGradient = <T>(f: () => T): T => {
  const { state } = loadRuntime().tf.engine() as unknown as Engine
  state.kernelDepth++
  try {
    return f()
  } finally {
    state.kernelDepth--
  }
}

/**
 * tfjs's second derivatives are silently wrong where an op keeps its output for its gradient (exp, sigmoid, tanh,
 * softmax …): the kept clone enters the tape before the op that made it, and backpropagation walks past it. Tape
 * nodes added while a kernel runs are held back until the kernel's own node is on the tape.
 */
export const keepTapeInOrder = (): void => {
  const engine = loadRuntime().tf.engine() as unknown as Engine
  if (typeof engine.addTapeNode !== 'function' || typeof engine.state?.kernelDepth !== 'number')
    throw new Error(
      'engine: needs tfjs 4.22’s gradient tape, got an engine without addTapeNode or kernelDepth',
    )
  const add = engine.addTapeNode.bind(engine)
  let held: unknown[][] = []
  engine.addTapeNode = (...node) => {
    if (engine.state.kernelDepth > 0) {
      held.push(node)
      return
    }
    add(...node)
    const waiting = held
    held = []
    for (const late of waiting) add(...late)
  }
}
