import fs from 'node:fs'
import path from 'node:path'
import { say } from './process.mjs'

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** @param {number} pid */
const alive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/**
 * One holder at a time across processes: a file that names its holder. A dead holder's lock is taken over.
 * @template T @param {string} file @param {() => Promise<T>} work @returns {Promise<T>}
 */
const locked = async (file, work) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  for (let waited = 0; ; waited++) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    }
    const holder = Number(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : 0)
    // An empty file is a holder between creating and writing it: it gets a moment.
    if (holder > 0 ? !alive(holder) : waited > 20) fs.rmSync(file, { force: true })
    else {
      if (waited === 0 && holder > 0) say(`waiting for another set-up (process ${holder})`)
      await sleep(200)
    }
  }
  try {
    return await work()
  } finally {
    fs.rmSync(file, { force: true })
  }
}

/**
 * A folder that is there whole or not at all: `make` fills a temporary folder beside it, which is then renamed.
 * Safe when two set-ups run at once, or one is killed half-way (its leftovers go at the next).
 * @param {string} folder @param {(temporary: string) => Promise<void>} make
 */
const folderOnce = async (folder, make) => {
  if (fs.existsSync(folder)) return
  await locked(`${folder}.lock`, async () => {
    if (fs.existsSync(folder)) return
    const temporary = `${folder}.partial`
    fs.rmSync(temporary, { recursive: true, force: true })
    fs.mkdirSync(temporary, { recursive: true })
    try {
      await make(temporary)
      fs.renameSync(temporary, folder)
    } finally {
      fs.rmSync(temporary, { recursive: true, force: true })
    }
  })
}

export const installed = { locked, folderOnce }
