import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeLines } from './lines.ts'

test('blank lines and comments are not counted, code beside a comment is', () => {
  assert.equal(
    codeLines('a.ts', '/**\n * What it is.\n */\nconst a = 1 // one\n\n  // why\nconst b = 2\n'),
    2,
  )
  assert.equal(codeLines('a.ts', 'class A {\n  #secret = 1\n}\n'), 3)
  assert.equal(codeLines('A.svelte', '<!-- what\nit is -->\n<p>text</p>\n'), 1)
  assert.equal(codeLines('a.py', '"""What it is.\n\nAnd why."""\nimport os  # needed\n# why\n'), 1)
  assert.equal(codeLines('a.h', '#include <x>\n// why\nint a;\n'), 2)
})
