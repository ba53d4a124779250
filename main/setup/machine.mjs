// What was measured on this very machine: files in the cache folder, apart for each processor (by its instruction sets),
// what oneDNN may use of them, number of threads, memory and TensorFlow.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { makeFolder } from './disk.mjs'
import { ADDON } from './places.mjs'
import { cacheFolder } from './process.mjs'
import { processorKey } from './processor.mjs'

/** The processor, as measurements name it. */
export const processor = () =>
  `${os.cpus()[0]?.model.trim() ?? 'unknown'}, ${os.availableParallelism()} threads`

/** TensorFlow's libraries: the folder that set-up has placed them in, which has their version and kind (cpu, gpu) in its name. */
const libraries = () => {
  try {
    return path.dirname(fs.realpathSync(ADDON))
  } catch {
    return 'none'
  }
}

/** Where figures of this kind are kept; they hold for this machine alone. @param {string} name */
export const machineFile = (name) => {
  const isa = process.env.ONEDNN_MAX_CPU_ISA ?? ''
  const memory = Math.round(os.totalmem() / 2 ** 30)
  const about = [processorKey(), isa, os.availableParallelism(), memory, libraries()]
  const key = createHash('sha256').update(about.join('\n')).digest('hex').slice(0, 12)
  return path.join(cacheFolder(), `measured-${key}`, name)
}

/** Writes a file as a whole or not at all. @param {string} file @param {unknown} value */
export const writeMeasured = (file, value) => {
  makeFolder(path.dirname(file))
  const temporary = `${file}.${process.pid}`
  fs.writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`)
  fs.renameSync(temporary, file)
}
