import type { Evaluator, EvaluatorOptions } from '../workers/protocol.ts'
import { checkData, loadData } from './data/index.ts'
import { environment, environmentally } from './environment.ts'
import { evaluate } from './evaluate.ts'
import { hasKernels, kernelObstacle } from './kernels.ts'
import { loadRuntime } from './runtime.ts'
import { measureSpeed } from './speed.ts'
import { checkTransfer, runTransfer } from './tasks/index.ts'

/** The engine as the worker process asks for it. */
export const createEvaluator = async (options: EvaluatorOptions): Promise<Evaluator> => {
  const { tf, binding } = environment(() => loadRuntime(options))
  const obstacle = kernelObstacle()
  return {
    notes: obstacle === null ? [] : [`going without the engine's own kernels, more slowly: ${obstacle}`],
    facts: {
      TensorFlow: binding.TF_Version,
      'TensorFlow.js': tf.version.tfjs,
      device: binding.isUsingGpuDevice() ? 'GPU' : 'CPU',
      threads: String(options.threads),
      ...(options.mixedPrecision ? { precision: 'products in bfloat16' } : {}),
      ...(options.xla === 'always' ? { XLA: 'always' } : {}),
      kernels: hasKernels() ? 'own' : 'TensorFlow’s',
    },
    evaluate: async (task, report) => {
      await environmentally(loadData(task.data))
      return evaluate(task, report)
    },
    transfer: async (run, report) => runTransfer(run, report),
    check: (data) => environmentally(checkData(data)),
    measure: async (seconds) => measureSpeed(seconds),
    checkTransfer: (asked) => environmentally(checkTransfer(asked)),
  }
}
