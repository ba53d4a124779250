/** The engine, but for evaluations: those run TensorFlow's op Abort, which ends the process. */
import * as engine from '../../main/engine/evaluator.ts'
import { loadRuntime } from '../../main/engine/runtime.ts'
import type { Evaluator, EvaluatorOptions } from '../../main/workers/protocol.ts'

export const createEvaluator = async (options: EvaluatorOptions): Promise<Evaluator> => ({
  ...(await engine.createEvaluator(options)),
  evaluate: async () => {
    const { binding } = loadRuntime()
    const message = { name: 'error_msg', type: binding.TF_ATTR_STRING, value: 'asked for' }
    binding.executeOp('Abort', [message], [], 0)
    throw new Error('Abort came back')
  },
})
