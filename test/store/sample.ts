/**
 * Makes the kept store of this version's schema: `node test/store/sample.ts [folder]`, with stand-ins for workers. In it are a
 * search and a transfer that are done, and one of each that a `kill -9` cut short. Run it whenever a migration is added.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { createApi } from '../../main/api.ts'
import { openDatabase } from '../../main/store/open.ts'
import { MIGRATIONS } from '../../main/store/schema.ts'
import { shortSearch, until } from '../main/stand-in-app.ts'
import { synthesisConfig } from '../transfer/harness.ts'
import { STAND_IN } from '../workers/stand-in.ts'

/** Fills the data folder, and ends by a kill. */
const fill = async (dataFolder: string): Promise<void> => {
  process.env['NORMFORGE_STANDIN_MS'] = '20'
  const api = createApi({ host: 'browser', dataFolder, evaluator: STAND_IN, workers: 1 })
  const ask = async (name: string, argument: object): Promise<string> => {
    const reply = await api.request({ id: 1, name, argument })
    if (!reply.ok) throw new Error(reply.message)
    return JSON.stringify(reply.value)
  }
  const begin = async (name: string, seed: number): Promise<void> => {
    const config = { ...shortSearch({ maxTrained: 8, initialSize: 5, population: 6 }), seed }
    await ask('searches.create', { name, config })
    const layer = { known: 'EvoNorm-B0' }
    await ask('transfers.promote', { layer, config: synthesisConfig({ seed, seeds: 1 }) })
  }
  const count = async (name: string, state: string): Promise<number> =>
    (await ask(name, {})).split(`"state":"${state}"`).length - 1
  await begin('done', 1)
  await until('the end of a search', async () => (await count('searches.list', 'done')) === 1)
  await until('the end of a transfer', async () =>
    /^\[.*"state":"done"/.test(await ask('transfers.list', {})),
  )
  await until('the end of its runs', async () => (await count('transfers.list', 'running')) === 0)
  await begin('interrupted', 2)
  await until('some candidates', async () => {
    const [newest] = JSON.parse(await ask('searches.list', {})) as { search: { id: string } }[]
    const nodes = await ask('searches.lineage', { id: newest!.search.id })
    return nodes.split('"status":"scored"').length > 4
  })
  process.kill(process.pid, 'SIGKILL')
}

const pack = (folder: string): void => {
  const scratch = mkdtempSync(join(tmpdir(), 'normforge-sample-'))
  const { signal } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', import.meta.filename, '--fill', scratch],
    { stdio: 'inherit' },
  )
  if (signal !== 'SIGKILL') throw new Error('sample: could not be filled')
  const db = openDatabase(join(scratch, 'searches.sqlite'))
  db.exec("UPDATE leases SET machine = 'another'")
  const packed = join(scratch, 'packed')
  db.prepare('VACUUM INTO ?').run(packed)
  db.close()
  // As it lies in a data folder: with a log, whose mode the copy has not.
  openDatabase(packed).close()
  const file = join(folder, `schema-${MIGRATIONS.length}.sqlite.gz`)
  writeFileSync(file, gzipSync(readFileSync(packed), { level: 9 }))
  rmSync(scratch, { recursive: true })
  console.log(file)
}

const [first, second] = process.argv.slice(2)
if (first === '--fill') await fill(second!)
else pack(first ?? join(import.meta.dirname, 'samples'))
