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

/** The process that a lock names; null while there is no lock, 0 while its holder is about to write. @param {string} file */
const holderOf = (file) => {
  try {
    return Number(fs.readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

/** @param {string} file */
const acquire = (file) => {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    return false
  }
}

/**
 * Removes the lock of a dead holder. Two may try at once: each moves the lock away first, and the one that finds it
 * took a newer lock than it meant to puts that back.
 * @param {string} file @param {number} dead
 */
const release = (file, dead) => {
  const aside = `${file}.${process.pid}`
  try {
    fs.renameSync(file, aside)
    if (holderOf(aside) !== dead) fs.linkSync(aside, file)
  } catch {
    // Another one was quicker.
  }
  fs.rmSync(aside, { force: true })
}

/**
 * One holder at a time across processes: a file that names its holder. A dead holder's lock is taken over.
 * @template T @param {string} file @param {() => Promise<T>} work @returns {Promise<T>}
 */
const locked = async (file, work) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  for (let waited = 0; !acquire(file); waited++) {
    const holder = holderOf(file)
    if (holder === null) continue
    // An empty file is a holder between creating and writing it: it gets a moment.
    if (holder > 0 ? !alive(holder) : waited > 20) release(file, holder)
    else {
      if (waited === 0 && holder > 0) say(`waiting for another set-up (process ${holder})`)
      await sleep(100)
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
 * Safe when two set-ups run at once, or one is killed half-way (its leftovers go at the next). A folder that is there
 * but not whole is made anew.
 * @param {string} folder @param {(temporary: string) => Promise<void>} make
 * @param {(folder: string) => boolean} [isWhole]
 */
const folderOnce = async (folder, make, isWhole = fs.existsSync) => {
  if (isWhole(folder)) return
  await locked(`${folder}.lock`, async () => {
    if (isWhole(folder)) return
    const temporary = `${folder}.partial`
    const clean = () => fs.rmSync(temporary, { recursive: true, force: true })
    clean()
    if (fs.existsSync(folder)) {
      say(`${folder} is damaged: making it anew`)
      fs.renameSync(folder, temporary)
      clean()
    }
    fs.mkdirSync(temporary, { recursive: true })
    try {
      await make(temporary)
      fs.renameSync(temporary, folder)
    } finally {
      clean()
    }
  })
}

export const installed = { locked, folderOnce }
