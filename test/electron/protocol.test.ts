import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { serveFile } from '../../main/electron/protocol.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'normforge-'))
after(() => rmSync(folder, { recursive: true }))
const dist = path.join(folder, 'dist')
mkdirSync(dist)
writeFileSync(path.join(dist, 'index.html'), '<p>page</p>')
writeFileSync(path.join(dist, '.stamp'), 'hash')
writeFileSync(path.join(folder, 'secret.html'), 'secret')

const get = (name: string, method = 'GET'): Promise<Response> =>
  serveFile({ url: `app://normforge/${name}`, method }, dist)

test('a file of the page comes with its type and the content security policy', async () => {
  const response = await get('')
  assert.equal(response.status, 200)
  assert.equal(await response.text(), '<p>page</p>')
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.match(
    response.headers.get('content-security-policy') ?? '',
    /^default-src 'none'; script-src 'self';/,
  )
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
})

test('what is no file of the page is refused', async () => {
  assert.equal((await get('missing.js')).status, 404)
  assert.equal((await get('.stamp')).status, 403)
  assert.equal((await get('..%2fsecret.html')).status, 403)
  assert.equal((await get('', 'POST')).status, 403)
  assert.equal((await serveFile({ url: 'https://evil/index.html', method: 'GET' }, dist)).status, 403)
})
