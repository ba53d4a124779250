import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { diskSentence, makeFolder, requireWritable } from '../../main/setup/disk.mjs'
import { root } from '../../main/setup/process.mjs'

const scratch = (t: TestContext): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const sentenceOf = (what: () => unknown): string => {
  try {
    what()
  } catch (error) {
    return diskSentence(error) ?? `not told: ${String(error)}`
  }
  return 'nothing was thrown'
}

test('folders are made with all above them, whatever they are called', (t) => {
  const folder = path.join(scratch(t), 'a,b', 'c d', 'e#f', `g'h"i`, 'j\nk', 'ä漢')
  makeFolder(folder)
  makeFolder(folder)
  assert.ok(existsSync(folder))
})

test('a folder that can’t be made is told at once, also where the system knows no folders', (t) => {
  const file = path.join(scratch(t), 'file')
  writeFileSync(file, '')
  const loop = `${file}-loop`
  symlinkSync(loop, loop)
  for (const [folder, sentence] of [
    ['/proc/nope', /^\/proc\/nope can't be made: there is no such place \(ENOENT\)$/],
    ['/proc/self/nope/deeper', /^\/proc\/self\/nope can't be made/],
    [file, /file can't be made: a part of this path is no folder \(ENOTDIR\)$/],
    [`${file}/a/b`, /file\/a can't be made: a part of this path is no folder/],
    ['/dev/null/a', /^\/dev\/null\/a can't be made/],
    [`${loop}/a`, /loop\/a can't be reached: its links lead round in a circle \(ELOOP\)$/],
  ] as const)
    assert.match(
      sentenceOf(() => makeFolder(folder)),
      sentence,
    )
})

test('a file is tried before it is needed', (t) => {
  const folder = scratch(t)
  requireWritable(path.join(folder, 'new'))
  assert.match(
    sentenceOf(() => requireWritable(folder)),
    /can't be written: it is a folder \(EISDIR\)$/,
  )
  assert.match(
    sentenceOf(() => requireWritable('/proc/new')),
    /^\/proc\/new\.\d+\.tmp can't be opened: there is no such place \(ENOENT\)$/,
  )
})

test('only what the disk refuses is told as that', () => {
  assert.equal(diskSentence(new Error('ENOENT')), null)
  assert.equal(diskSentence(null), null)
  assert.match(
    sentenceOf(() => readFileSync('/nowhere/at/all')),
    /^\/nowhere\/at\/all can't be opened: there is no such place/,
  )
})

test('every package that is installed has a checksum in the lock file', () => {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity?: string; link?: boolean }>
  }
  const packages = Object.entries(lock.packages).filter(([name]) => name !== '')
  assert.ok(packages.length > 300)
  for (const [name, { integrity }] of packages) assert.match(integrity ?? 'none', /^sha512-/, name)
  assert.match(readFileSync(path.join(root, '.npmrc'), 'utf8'), /^ignore-scripts=true$/m)
})
