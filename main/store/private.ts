import fs from 'node:fs'
import path from 'node:path'

/** What this program puts into a data folder: the store with its logs, its backups, what transfers keep. */
const OWN = /^(searches\.sqlite(-\w+)?|backups|transfer)$/

/**
 * Takes everybody else's rights to a data folder away: names of searches, paths of data and whole networks are in it. A
 * folder that holds anything else (somebody's home, /tmp) keeps its own rights, and only what is ours in it loses them.
 */
export const keepPrivate = (dataFolder: string): void => {
  const names = fs.readdirSync(dataFolder)
  const own = names.filter((name) => OWN.test(name))
  for (const name of own) closeToOthers(path.join(dataFolder, name))
  if (own.length === names.length) closeToOthers(dataFolder)
}

const closeToOthers = (file: string): void => {
  try {
    const stats = fs.lstatSync(file)
    if (!stats.isSymbolicLink() && (stats.mode & 0o077) !== 0) fs.chmodSync(file, stats.mode & 0o700)
  } catch {
    // Another user's file, one that was there a moment ago, or a disk without rights.
  }
}
