import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { kindAt, readBytes, readFolder, readText, withFile } from '../../main/files.ts'

let root: string
before(() => (root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-files-'))))
after(() => fs.rmSync(root, { recursive: true, force: true }))

const at = (name: string): string => path.join(root, name)
const made = (name: string, text: string | Buffer): string => {
  fs.writeFileSync(at(name), text)
  return at(name)
}
const reader = { who: 'reader', most: 100 }
const says = (file: string, what: string): void =>
  assert.throws(() => readBytes(file, reader), { name: 'Error', message: `reader: ${file}: ${what}` })

test('a file is read whole, and in parts', () => {
  const file = made('ten', '0123456789')
  assert.equal(readBytes(file, reader).toString(), '0123456789')
  assert.equal(
    withFile(file, reader, ({ bytes, read }) => `${bytes} ${read(3, 2).toString()}`),
    '10 34',
  )
  assert.throws(() => withFile(file, reader, ({ read }) => read(8, 2 ** 40)), {
    message: `reader: ${file}: needed 1099511627776 bytes from 8 on, got 2`,
  })
  assert.equal(readText(made('bom', '\ufeffgrün'), reader), 'grün')
  assert.equal(readBytes(made('empty', ''), reader).length, 0)
  fs.symlinkSync(file, at('link'))
  assert.equal(readText(at('link'), reader), '0123456789')
})

test('what is no file is refused at once: pipes, devices, folders, sockets, links to nothing', async () => {
  execFileSync('mkfifo', [at('pipe')])
  says(at('pipe'), 'needed a file, got a pipe')
  for (const device of ['/dev/zero', '/dev/null', '/dev/full']) says(device, 'needed a file, got a device')
  fs.mkdirSync(at('folder'))
  says(at('folder'), 'needed a file, got a folder')
  const server = net.createServer().listen(at('socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  says(at('socket'), 'needed a file, got a socket')
  server.close()
  fs.symlinkSync(at('loop'), at('loop'))
  says(at('loop'), 'needed a file, got a link that leads to itself')
  says(at('nothing'), 'needed a file, found none')
  says(path.join(made('plain', 'x'), 'below'), 'needed a file, found a path that goes through a file')
  says(at('a\0b'), 'needed a file, got a name with a zero byte')
  says(at('n'.repeat(300)), 'needed a file, got a name that is too long')
})

test('standard input is refused, unless it is redirected from a file', () => {
  const read = `import('${new URL('../../main/files.ts', import.meta.url).href}').then(({ readText }) => {
    try { console.log(readText('/dev/stdin', { who: 'reader', most: 100 })) } catch (error) { console.log(error.message) }
  })`
  const run = (stdin: 'pipe' | number): string =>
    execFileSync(process.execPath, ['-e', read], { stdio: [stdin, 'pipe', 'ignore'] }).toString()
  // Node hands a child its standard input as a socket.
  assert.equal(run('pipe'), 'reader: /dev/stdin: needed a file, got a socket\n')
  const handle = fs.openSync(made('stdin', 'text'), 'r')
  assert.equal(run(handle), 'text\n')
  fs.closeSync(handle)
})

test('a file with more bytes than allowed is refused unread', () => {
  says(made('long', Buffer.alloc(101)), 'needed at most 100 bytes, got 101 bytes')
  fs.truncateSync(made('sparse', ''), 2 ** 40)
  says(at('sparse'), 'needed at most 100 bytes, got 1,048,576 MiB')
})

test('a file that grows or shrinks while it is read is refused', () => {
  const file = made('moving', '0123456789')
  const whileOpen = (change: () => void) =>
    withFile(file, reader, ({ bytes, read }) => {
      change()
      return read(0, bytes)
    })
  assert.throws(() => whileOpen(() => fs.appendFileSync(file, 'ab')), {
    message: `reader: ${file}: needed a file that nobody writes to, it went from 10 to 12 bytes`,
  })
  assert.throws(() => whileOpen(() => fs.truncateSync(file, 5)), {
    message: `reader: ${file}: needed 12 bytes from 0 on, got 5`,
  })
})

test('no descriptor stays open, whatever a file was', () => {
  const open = () => fs.readdirSync('/proc/self/fd').length
  const before = open()
  for (const name of ['pipe', 'folder', 'sparse', 'ten', 'nothing'])
    try {
      readBytes(at(name), reader)
    } catch {
      continue
    }
  assert.equal(open(), before)
})

test('a folder tells what lies in it, links by what they lead to', () => {
  const folder = at('all')
  fs.mkdirSync(path.join(folder, 'b'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'c'), '')
  execFileSync('mkfifo', [path.join(folder, 'a')])
  fs.symlinkSync('b', path.join(folder, 'd'))
  fs.symlinkSync('nothing', path.join(folder, 'e'))
  const kinds = readFolder(folder, 'reader').map(({ name, kind }) => `${name} ${kind}`)
  assert.deepEqual(kinds, ['a other', 'b folder', 'c file', 'd folder', 'e other'])
  assert.throws(() => readFolder(at('nothing'), 'reader'), {
    message: `reader: ${at('nothing')}: needed a folder, found none`,
  })
  assert.throws(() => readFolder(at('ten'), 'reader'), /needed a folder, found a path/)
  assert.equal(kindAt(at('nothing')), null)
  assert.equal(kindAt(folder), 'folder')
})
