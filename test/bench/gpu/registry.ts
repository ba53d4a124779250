/** What ops TensorFlow's libraries have, and for which devices and types each has a kernel. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireCompiler, type Libraries } from '../../../main/setup/addon.ts'
import { runQuietly, SetupError } from '../../../main/setup/process.mjs'
import { messageOf, messages, numbers, text, texts } from './message.ts'

/** A kernel computes an op on a device for some types; what `host` names it reads or writes in the host's memory. */
export type Kernel = {
  readonly device: string
  /** By attribute: TensorFlow's numbers of the types that it may have. */
  readonly types: ReadonlyMap<string, readonly number[]>
  readonly host: ReadonlySet<string>
}
/** An input or output of an op: one tensor, or as many as an attribute says. */
export type Argument = { readonly name: string; readonly count: string; readonly list: string }
export type Op = {
  readonly inputs: readonly Argument[]
  readonly outputs: readonly Argument[]
  /** Types that attributes have where a graph doesn't give them. */
  readonly defaults: ReadonlyMap<string, number>
}
export type Registry = {
  readonly ops: ReadonlyMap<string, Op>
  readonly kernels: ReadonlyMap<string, readonly Kernel[]>
}

const SOURCE = fileURLToPath(new URL('registry.cc', import.meta.url))

/** Asks the libraries in a process of their own: they need not be those that the engine runs on, nor a GPU be there. */
export const readRegistry = async ({ folder, files, include }: Libraries): Promise<Registry> => {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-registry-'))
  const [program, ops, kernels] = ['program', 'ops', 'kernels'].map((name) => path.join(temporary, name))
  try {
    const flags = ['-std=c++17', `-I${include}`, SOURCE, '-o', program!, '-ldl']
    const compiled = await runQuietly(requireCompiler(), flags)
    if (compiled.code !== 0) throw new SetupError(`registry.cc doesn't compile: ${compiled.output.trim()}`)
    // The framework's comes first: the other one needs it.
    const ran = await runQuietly(program!, [...[...files].reverse(), ops!, kernels!])
    if (ran.code !== 0)
      throw new SetupError(`TensorFlow's libraries in ${folder} don't load: ${ran.output.trim()}`)
    return parseRegistry(fs.readFileSync(ops!), fs.readFileSync(kernels!))
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true })
  }
}

/** From an OpList and a KernelList; fields by their numbers in op_def.proto, kernel_def.proto and attr_value.proto. */
export const parseRegistry = (opList: Uint8Array, kernelList: Uint8Array): Registry => {
  const ops = new Map<string, Op>()
  for (const op of messages(messageOf(opList), 1)) {
    const [inputs, outputs] = [2, 3].map((field) =>
      messages(op, field).map((arg) => ({ name: text(arg, 1), count: text(arg, 5), list: text(arg, 6) })),
    )
    const defaults = messages(op, 4).flatMap((attribute) => {
      const [type] = messages(attribute, 3).flatMap((value) => numbers(value, 6))
      return type === undefined ? [] : [[text(attribute, 1), type] as const]
    })
    ops.set(text(op, 1), { inputs: inputs!, outputs: outputs!, defaults: new Map(defaults) })
  }
  const kernels = new Map<string, Kernel[]>()
  for (const kernel of messages(messageOf(kernelList), 1)) {
    const name = text(kernel, 1)
    // A label asks for a kernel by name, which no graph here does.
    if (text(kernel, 5) !== '') continue
    const types = messages(kernel, 3).map(
      (constraint) =>
        [
          text(constraint, 1),
          messages(constraint, 2).flatMap((value) => messages(value, 1).flatMap((list) => numbers(list, 6))),
        ] as const,
    )
    const known = { device: text(kernel, 2), types: new Map(types), host: new Set(texts(kernel, 4)) }
    kernels.set(name, [...(kernels.get(name) ?? []), known])
  }
  return { ops, kernels }
}
