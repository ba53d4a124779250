import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { isOwn } from '../../main/electron/address.ts'
import { fileAt } from '../../main/page.ts'

const dist = path.resolve('/somewhere/dist')
const fileOf = (address: string, folder: string): string | null => fileAt(new URL(address).pathname, folder)

test('an address of the page names a file of dist, whatever its query or hash', () => {
  assert.equal(fileOf('app://normforge/', dist), path.join(dist, 'index.html'))
  assert.equal(fileOf('app://normforge/#/search/a/live', dist), path.join(dist, 'index.html'))
  assert.equal(fileOf('app://normforge/assets/main.js?v=1', dist), path.join(dist, 'assets/main.js'))
  assert.equal(fileOf('app://normforge/a%20b.svg', dist), path.join(dist, 'a b.svg'))
})

test('no address leads out of dist', () => {
  const inside = (address: string): boolean => {
    const file = fileOf(address, dist)
    return file === null || file.startsWith(dist + path.sep)
  }
  for (const way of [
    '../secret',
    '%2e%2e/secret',
    '..%2fsecret',
    '%2e%2e%2f%2e%2e%2fsecret',
    'assets/..%2f..%2fsecret',
    '..%5csecret',
    '/etc/passwd',
    '%2fetc%2fpasswd',
    '....//secret',
  ])
    assert.ok(inside(`app://normforge/${way}`), way)
  assert.equal(fileOf('app://normforge/..%2fsecret', dist), null)
  assert.equal(fileOf('app://normforge/..%2fdist-other/x', dist), null)
  assert.equal(fileOf('app://normforge/index.html%00.js', dist), null)
  assert.equal(fileOf('app://normforge/%E0%A4%A', dist), null)
})

test('only the page itself is its own: another scheme, host, user or port is foreign', () => {
  assert.ok(isOwn('app://normforge/'))
  assert.ok(isOwn('app://normforge/index.html#/new'))
  for (const address of [
    'https://normforge/',
    'file:///somewhere/dist/index.html',
    'app://evil/',
    'app://normforge.evil/',
    'app://normforge@evil/',
    'app://user@normforge/',
    'app://normforge:80/',
    'app:normforge',
    'about:blank',
    'javascript:alert(1)',
    'data:text/html,hello',
    '',
  ])
    assert.ok(!isOwn(address), address)
})
