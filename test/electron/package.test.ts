import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { DESKTOP, ensureDesktop } from '../../main/setup/page.ts'
import { root } from '../../main/setup/process.mjs'

// The schema and the YAML reader that electron-builder itself uses.
const builder = createRequire(createRequire(import.meta.url).resolve('electron-builder'))
const library = createRequire(builder.resolve('app-builder-lib'))
const yaml = library('js-yaml') as { load(text: string): unknown }
const schema = library('app-builder-lib/scheme.json') as object

type Config = {
  readonly directories: { readonly app: string; readonly output: string }
  readonly files: readonly string[]
  readonly electronFuses: Readonly<Record<string, boolean>>
}
const config = yaml.load(readFileSync(path.join(root, 'electron-builder.yml'), 'utf8')) as Config
const validate = new Ajv({ strict: false, allErrors: true }).compile(schema)

const matches = (file: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => path.matchesGlob(file, pattern))
test("electron-builder.yml follows electron-builder's schema", () => {
  assert.ok(validate(config), JSON.stringify(validate.errors, null, 2))
})

test('the schema refuses a key it does not know and a target of the wrong kind', () => {
  assert.ok(!validate({ ...config, asarUnpak: [] }))
  assert.ok(!validate({ ...config, linux: { target: 7 } }))
})

test('the archive has the window, its preload and the page, as they are built', async () => {
  await ensureDesktop()
  assert.equal(config.directories.app, DESKTOP)
  const { main } = JSON.parse(readFileSync(path.join(root, DESKTOP, 'package.json'), 'utf8')) as {
    main: string
  }
  for (const file of [main, 'preload.cjs', 'host.json', 'page/index.html']) {
    assert.ok(existsSync(path.join(root, DESKTOP, file)), file)
    assert.ok(matches(file, config.files), file)
  }
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
