/** A layer as source text to take elsewhere: one file a target, the same numbers in each. */
import type { Graph } from '../graph.ts'
import { flax } from './flax.ts'
import { json } from './json.ts'
import { keras } from './keras.ts'
import { latex } from './latex.ts'
import { kebabName, snakeName } from './names.ts'
import { pytorch } from './pytorch.ts'
import { tfjs } from './tfjs.ts'

export const EXPORT_TARGETS = ['pytorch', 'keras', 'flax', 'tfjs', 'latex', 'json'] as const
export type ExportTarget = (typeof EXPORT_TARGETS)[number]

export type Export = {
  readonly label: string
  readonly fileName: (name: string) => string
  /**
   * The file's text. `name` is what people call the layer; classes and files are named for it. `source` says where it comes
   * from, as a search and the candidate's number; the literature's layers are known by themselves.
   */
  readonly generate: (graph: Graph, name: string, source?: string) => string
}

export const EXPORTS: Readonly<Record<ExportTarget, Export>> = {
  pytorch: { label: 'PyTorch', fileName: (name) => `${snakeName(name)}.py`, generate: pytorch },
  keras: { label: 'Keras', fileName: (name) => `${snakeName(name)}_keras.py`, generate: keras },
  flax: { label: 'JAX / Flax', fileName: (name) => `${snakeName(name)}_flax.py`, generate: flax },
  tfjs: { label: 'TensorFlow.js', fileName: (name) => `${kebabName(name)}.js`, generate: tfjs },
  latex: { label: 'LaTeX', fileName: (name) => `${kebabName(name)}.tex`, generate: latex },
  json: { label: 'JSON', fileName: (name) => `${kebabName(name)}.json`, generate: json },
}
