/** A search from the command line on a machine that is measured first, by workers that take long: `node measuring.ts <folder>`. */
import { follow } from '../../main/cli/follow.ts'
import { createPool } from '../../main/workers/pool.ts'
import { spawnNode } from '../../main/workers/process.ts'
import { measureSplits } from '../../main/workers/split.ts'
import { openWorkshop } from '../../main/workshop.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { shortSearch } from './stand-in-app.ts'

const settle = (signal: AbortSignal) => {
  process.stderr.write('measuring\n')
  return measureSplits({ evaluator: STAND_IN, spawn: spawnNode, signal })
}
const workshop = openWorkshop(process.argv[2]!, () => createPool({ evaluator: STAND_IN, settle }))
const { id } = workshop.runner.create({ name: 'measured', config: shortSearch() })
process.exitCode = await follow(workshop, id, true)
await workshop.close()
