/** The README's table of what to write to add something, proved: a toy of a kind in a copy of the tree, kept in memory. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { root } from '../main/setup/process.mjs'

/** Texts of files, by their paths in the tree, in place of those that are there. */
type Changed = Readonly<Record<string, string>>

const parsed = ts.parseJsonConfigFileContent(
  ts.readConfigFile(path.join(root, 'main/tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  path.join(root, 'main'),
)
/** Unchanged files are read once for all trees. */
const sources = new Map<string, ts.SourceFile | undefined>()

/** The program of main and shared with some files changed. */
const programOf = (changed: Changed): ts.Program => {
  const texts = new Map(Object.entries(changed).map(([file, text]) => [path.join(root, file), text]))
  const host = ts.createCompilerHost(parsed.options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (file) => texts.has(file) || fileExists.call(host, file)
  host.readFile = (file) => texts.get(file) ?? readFile.call(host, file)
  host.getSourceFile = (file, options) => {
    const text = texts.get(file)
    if (text !== undefined) return ts.createSourceFile(file, text, options)
    if (!sources.has(file)) sources.set(file, getSourceFile.call(host, file, options))
    return sources.get(file)
  }
  return ts.createProgram([...parsed.fileNames, ...texts.keys()], parsed.options, host)
}

/** "file: what the compiler says" of these files. */
const complaints = (program: ts.Program, files: readonly string[]): string[] =>
  files.flatMap((file) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(path.join(root, file)))
      .map(({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`),
  )

const changed = (file: string, from: string | RegExp, to: string): Changed => {
  const text = fs.readFileSync(path.join(root, file), 'utf8')
  const after = text.replace(from, to)
  assert.notEqual(after, text, `${file} has no ${String(from)}`)
  return { [file]: after }
}

const resnet = fs.readFileSync(path.join(root, 'shared/architectures/resnet.ts'), 'utf8')
const ARCHITECTURE = {
  file: { 'shared/architectures/toy.ts': resnet.replace('export const resnet', 'export const toy') },
  network: changed(
    'shared/architectures/index.ts',
    /^(import \{ resnet .*\n)([\s\S]*?)= \{ resnet/m,
    "$1import { toy } from './toy.ts'\n$2= { toy, resnet",
  ),
}
const DATA_SET = {
  file: {
    'main/engine/data/toy.ts':
      "export { loadShapes as loadToy, reportShapes as reportToy } from './shapes/index.ts'\n",
  },
  source: changed(
    'main/engine/data/index.ts',
    /^(import type \{ LoadedData[\s\S]*?)  shapes: \{/m,
    "import { loadToy, reportToy } from './toy.ts'\n$1  toy: { load: loadToy, check: reportToy },\n  shapes: {",
  ),
}
const [network, source, catalog] = [
  'shared/architectures/index.ts',
  'main/engine/data/index.ts',
  'shared/catalog.ts',
]
/** Both have a row in the catalog. */
const CATALOG = {
  [catalog]: fs
    .readFileSync(path.join(root, catalog), 'utf8')
    .replace('  resnet: {', "  toy: { label: 'Toy', short: 'Toy', source: 'a test' },\n  resnet: {")
    .replace(
      '  shapes: {',
      "  toy: { label: 'Toy', help: '', needsPath: false, side: null, form: { side: 16, preset: 'demo' } },\n  shapes: {",
    ),
}

test('an architecture and a data set are added as the README says, and the whole program takes them', () => {
  const { file, network } = ARCHITECTURE
  const program = programOf({ ...file, ...network, ...DATA_SET.file, ...DATA_SET.source, ...CATALOG })
  const all = [...program.getSourceFiles()]
    .map(({ fileName }) => path.relative(root, fileName))
    .filter((file) => /^(main|shared)\//.test(file))
  assert.ok(all.includes('shared/architectures/toy.ts') && all.includes('main/engine/data/toy.ts'))
  assert.deepEqual(complaints(program, all), [])
})

test('where a step is left out, the compiler names it', () => {
  const { file } = ARCHITECTURE
  const program = programOf({ ...file, ...DATA_SET.file, ...CATALOG })
  const [first = '', second = ''] = complaints(program, [network, source])
  assert.match(first, /architectures\/index\.ts: .*'toy' is missing/)
  assert.match(second, /data\/index\.ts: .*'toy' is missing/)
  const rowless = programOf({ ...file, ...ARCHITECTURE.network, ...DATA_SET.file, ...DATA_SET.source })
  assert.equal(complaints(rowless, [network]).length, 1)
  assert.equal(complaints(rowless, [source]).length, 1)
})

test('an op with a row and a name: the compiler asks for its value, its slope at the start and its derivative', () => {
  const program = programOf(
    changed('shared/ops.ts', /(\| 'tanh')([\s\S]*?)^( +)tanh: (.*)$/m, "$1 | 'toy'$2$3toy: $4\n$3tanh: $4"),
  )
  const files = ['shared/interpret.ts', 'shared/identity/dual.ts', 'shared/symbolic/functions.ts']
  const said = complaints(program, files)
  assert.equal(said.length, 3)
  files.forEach((file, i) => assert.match(said[i]!, new RegExp(`^${file}: .*'toy' is missing`)))
})
