import fs from 'node:fs'
import path from 'node:path'
import { makeFolder } from './disk.mjs'
import { say, SetupError } from './process.mjs'

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** @param {string} file */
const read = (file) => {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/**
 * A process for good: its id, which another one gets some time after its end, when it started, and since which start of the
 * machine that is counted. The latter two are empty where the system has no /proc.
 * @param {number} pid
 */
const identityOf = (pid) => {
  // The program's name, in parentheses, may hold anything; what follows it are fields 3 and on.
  const fields = (read(`/proc/${pid}/stat`) ?? '').replace(/^.*\)/s, '').trim().split(' ')
  // Z: it has ended, and its parent has not taken note of that yet.
  const started = fields[0] === 'Z' ? 'ended' : (fields[19] ?? '')
  return `${pid} ${started} ${(read('/proc/sys/kernel/random/boot_id') ?? '').trim()}`
}

/** @param {number} pid */
const exists = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/** Whether the process that a lock names still runs. @param {string} holder */
const alive = (holder) => {
  const pid = parseInt(holder, 10)
  return pid > 0 && exists(pid) && identityOf(pid) === holder
}

/** @param {string} file */
const acquire = (file) => {
  try {
    fs.writeFileSync(file, identityOf(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    return false
  }
}

/**
 * Removes the lock of a dead holder. Two may try at once: each moves the lock away first, and the one that finds it
 * took a newer lock than it meant to puts that back.
 * @param {string} file @param {string} dead
 */
const release = (file, dead) => {
  const aside = `${file}.${process.pid}`
  try {
    fs.renameSync(file, aside)
    if (read(aside) !== dead) fs.linkSync(aside, file)
  } catch (error) {
    // Another one was quicker, or the folder is not ours to write.
    if (!['ENOENT', 'EEXIST'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) throw error
  }
  fs.rmSync(aside, { force: true })
}

/**
 * One holder at a time across processes: a file that names its holder. A dead holder's lock is taken over.
 * @template T @param {string} file @param {() => Promise<T>} work @returns {Promise<T>}
 */
const locked = async (file, work) => {
  makeFolder(path.dirname(file))
  for (let waited = 0; !acquire(file); waited++) {
    const holder = read(file)
    if (holder === null) {
      if (fs.existsSync(file)) throw new SetupError(`${file} is no lock that can be read: remove it`)
      continue
    }
    // An empty file is a holder between creating and writing it: it gets a moment.
    if (holder === '' ? waited > 20 : !alive(holder)) release(file, holder)
    else {
      if (waited === 0 && holder !== '')
        say(`waiting for another set-up (process ${parseInt(holder, 10)}, which holds ${file})`)
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
    makeFolder(temporary)
    try {
      await make(temporary)
      fs.renameSync(temporary, folder)
    } finally {
      clean()
    }
  })
}

export const installed = { locked, folderOnce }
