import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { compileAgainst } from '../../main/setup/addon.ts'

test('a compiled addon finds its libraries, whatever the folders of both are called', async (t) => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'normforge-'))
  t.after(() => rmSync(scratch, { recursive: true, force: true }))
  const odd = path.join(scratch, `a,b c:d $e #f 'g" ä\nh`)
  const [libraries, addons] = [path.join(odd, 'libraries of,others'), path.join(odd, 'addons')]
  for (const folder of [libraries, addons]) mkdirSync(folder, { recursive: true })
  const library = path.join(libraries, 'libanswer.so.2')
  const run = (program: string, ...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: scratch, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return stdout
  }
  writeFileSync(path.join(scratch, 'answer.cc'), 'extern "C" int answer() { return 42; }')
  const shared = ['-shared', '-fPIC', '-Wl,-soname,libanswer.so.2', '-o', library]
  run(process.env.CXX ?? 'g++', 'answer.cc', ...shared)
  const source = path.join(odd, 'addon.cc')
  writeFileSync(
    source,
    `#include <node_api.h>
extern "C" int answer();
extern "C" napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value value;
  napi_create_int32(env, answer(), &value);
  napi_set_named_property(env, exports, "answer", value);
  return exports;
}`,
  )
  const to = path.join(addons, 'addon.node')
  const found = { folder: libraries, files: [library], include: libraries }
  assert.equal(await compileAgainst(found, { sources: [source], flags: [], to }), null)
  const said = run(process.execPath, '-p', `require(${JSON.stringify(to)}).answer`)
  assert.equal(said, '42\n')
})
