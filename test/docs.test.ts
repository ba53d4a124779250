import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../main/setup/process.mjs'

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`),
]
const ROOMS = /^(?:main|shared|renderer|test|docs)(?:\/[\w.-]+)*\/?$/

test('every file and folder that the documents name is there', () => {
  const named = documents.flatMap((document) => {
    const text = readFileSync(path.join(root, document), 'utf8')
    const code = [...text.matchAll(/`([^`\n]+)`/g)]
      .map(([, code]) => code!)
      .filter((code) => ROOMS.test(code))
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) =>
      path.join(path.dirname(document), link!),
    )
    return [...code, ...links].map((place) => ({ document, place }))
  })
  assert.ok(named.length > 40, `${named.length} places`)
  assert.deepEqual(
    named.filter(({ place }) => !existsSync(path.join(root, place))),
    [],
  )
})

test('comments name their subject first', () => {
  const files = globSync('{main,shared,renderer,test}/**/*.{ts,mjs,svelte}', { cwd: root })
  assert.ok(files.length > 500, `${files.length} files`)
  const without = files.flatMap((file) => {
    const text = readFileSync(path.join(root, file), 'utf8')
    return [...text.matchAll(/\/\*\*(?:\s|\*)*(?:Of|For|Whose|Apart from)\b[^\n]*/g)].map(
      ([begin]) => `${file}: ${begin}`,
    )
  })
  assert.deepEqual(without, [])
})
