// What a disk can refuse, said in one sentence instead of a stack trace.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'its disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of disk space is used up',
  ENOENT: 'there is no such place',
  ENOTDIR: 'a part of this path is no folder',
  EEXIST: 'something else is there',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead round in a circle',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the disk does not answer',
  ESTALE: 'the disk does not answer',
  EXDEV: 'it spans two disks',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
}
/** @type {Readonly<Record<string, string>>} What was tried, by its system call. */
const VERBS = {
  mkdir: 'made',
  mkdtemp: 'made',
  open: 'opened',
  read: 'read',
  write: 'written',
  fsync: 'written',
  scandir: 'listed',
  rename: 'put in place',
  link: 'put in place',
  symlink: 'put in place',
  unlink: 'removed',
  rm: 'removed',
  rmdir: 'removed',
}

/**
 * A failure of the disk in one sentence: "/home/ada/.cache can't be made: permission denied (EACCES)"; null for any other
 * error.
 * @param {unknown} error
 */
export const diskSentence = (error) => {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return null
  const { code, syscall, path: at } = /** @type {NodeJS.ErrnoException} */ (error)
  const reason = REASONS[code ?? '']
  if (reason === undefined || (at === undefined && syscall !== 'write' && syscall !== 'fsync')) return null
  const verb = VERBS[syscall ?? ''] ?? 'reached'
  return `${at ?? 'a file'} can't be ${verb}: ${reason} (${code})`
}

/**
 * Makes a folder, with those above it that are missing. Not `recursive`: Node then tries for ever where a folder is there
 * but nothing can be made in it, as in /proc.
 * @param {string} folder @param {number} [mode] permissions of those that are made
 */
export const makeFolder = (folder, mode) => {
  const missing = []
  let at = path.resolve(folder)
  for (; !fs.statSync(at, { throwIfNoEntry: false }); at = path.dirname(at)) missing.unshift(at)
  for (const each of missing)
    try {
      fs.mkdirSync(each, { mode })
    } catch (error) {
      // Another process may have made it meanwhile.
      if (!fs.statSync(each, { throwIfNoEntry: false })?.isDirectory()) throw error
    }
  if (fs.statSync(folder).isDirectory()) return
  throw Object.assign(new Error(`${folder} is no folder`), {
    code: 'ENOTDIR',
    syscall: 'mkdir',
    path: folder,
  })
}

/**
 * Throws now what writing a file as a whole (under another name first) would throw later.
 * @param {string} file
 */
export const requireWritable = (file) => {
  const trial = `${file}.${process.pid}.tmp`
  fs.closeSync(fs.openSync(trial, 'w'))
  fs.unlinkSync(trial)
  if (fs.statSync(file, { throwIfNoEntry: false })?.isDirectory())
    throw Object.assign(new Error(`${file} is a folder`), { code: 'EISDIR', syscall: 'write', path: file })
}

/** The user's home folder; null where the system knows none, as in a container with a made-up user. */
export const homeFolder = () => {
  try {
    return os.homedir() || null
  } catch {
    return null
  }
}
