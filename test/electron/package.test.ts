import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { root } from '../../main/setup/process.mjs'

// The schema and the YAML reader that electron-builder itself uses.
const builder = createRequire(createRequire(import.meta.url).resolve('electron-builder'))
const library = createRequire(builder.resolve('app-builder-lib'))
const yaml = library('js-yaml') as { load(text: string): unknown }
const schema = library('app-builder-lib/scheme.json') as object

type Config = {
  readonly directories: { readonly output: string }
  readonly files: readonly string[]
  readonly asarUnpack: readonly string[]
  readonly electronFuses: Readonly<Record<string, boolean>>
}
const config = yaml.load(readFileSync(path.join(root, 'electron-builder.yml'), 'utf8')) as Config
const validate = new Ajv({ strict: false, allErrors: true }).compile(schema)

const matches = (file: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => path.matchesGlob(file, pattern))
const isPacked = (file: string): boolean =>
  !matches(
    file,
    config.files.flatMap((pattern) => (pattern.startsWith('!') ? [pattern.slice(1)] : [])),
  )

test("electron-builder.yml follows electron-builder's schema", () => {
  assert.ok(validate(config), JSON.stringify(validate.errors, null, 2))
})

test('the schema refuses a key it does not know and a target of the wrong kind', () => {
  assert.ok(!validate({ ...config, asarUnpak: [] }))
  assert.ok(!validate({ ...config, linux: { target: 7 } }))
})

test("a package has the program and the page, not TensorFlow's libraries", () => {
  const { main } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { main: string }
  for (const file of [main, 'main/electron/preload.cjs', 'main/workers/child.ts', 'shared/contract.ts']) {
    assert.ok(existsSync(path.join(root, file)), file)
    assert.ok(matches(file, config.files) && isPacked(file), file)
  }
  assert.ok(matches('dist/index.html', config.files))
  const tfjs = 'node_modules/@tensorflow/tfjs-node-gpu'
  assert.ok(!isPacked(`${tfjs}/deps/lib/libtensorflow.so.2`))
  assert.ok(!isPacked(`${tfjs}/lib/napi-v8/libtensorflow_framework.so.2`))
  const addon = `${tfjs}/lib/napi-v8/tfjs_binding.node`
  assert.ok(isPacked(addon) && matches(addon, config.asarUnpack))
})

test('packages do not land in the page, and the fuses close what the program does not use', () => {
  assert.ok(!`${config.directories.output}/`.startsWith('dist/'))
  assert.deepEqual(config.electronFuses, {
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    grantFileProtocolExtraPrivileges: false,
  })
})
