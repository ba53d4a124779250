import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { download } from '../../main/setup/download.ts'
import { fetchWheels } from '../../main/setup/fetch.ts'
import { sha256 } from '../../main/setup/manifest.mjs'

const scratch = (t: TestContext): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a download from which nothing comes any more is given up; one that goes on slowly is not', async (t) => {
  const run = (script: string) => {
    const folder = scratch(t)
    const args = ['-c', script]
    const options = { cwd: folder }
    return download({ label: 'test', program: 'sh', args, folders: [folder], options, patienceSeconds: 3 })
  }
  const [stalled, slow] = await Promise.all([
    run('echo begun > file; exec sleep 60'),
    run('for i in $(seq 20); do echo $i >> file; sleep 0.25; done'),
  ])
  assert.deepEqual(stalled, { code: 124, output: 'nothing came for 3 s' })
  assert.equal(slow.code, 0)
})

const hasPython = spawnSync('python3', ['-m', 'pip', '--version']).status === 0

test(
  'of a wheel only the libraries and headers are kept, programs stay programs',
  { skip: hasPython ? false : 'Python and pip are not on this machine' },
  async (t) => {
    const folder = scratch(t)
    const wheels = path.join(folder, 'wheels')
    mkdirSync(wheels)
    const wheel = path.join(wheels, 'standin_tensorflow-1.0-py3-none-any.whl')
    const made = spawnSync('python3', [
      '-c',
      `import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1], 'w')
for name, mode in [('tensorflow/libtensorflow_cc.so.2', 0o755), ('tensorflow/libtensorflow_framework.so.2', 0o644),
    ('tensorflow/include/tensorflow/c/c_api.h', 0o644), ('tensorflow/python/ops.py', 0o644),
    ('nvidia/cuda_nvcc/bin/ptxas', 0o755), ('standin_tensorflow-1.0.dist-info/METADATA', 0o644),
    ('standin_tensorflow-1.0.dist-info/WHEEL', 0o644)]:
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    wheel.writestr(member, 'Metadata-Version: 2.1\\nWheel-Version: 1.0\\nName: standin-tensorflow\\nVersion: 1.0\\n')
wheel.close()`,
      wheel,
    ])
    assert.equal(made.status, 0, String(made.stderr))
    const links = process.env.PIP_FIND_LINKS
    process.env.PIP_FIND_LINKS = wheels
    process.env.PIP_NO_INDEX = '1'
    t.after(() => {
      delete process.env.PIP_NO_INDEX
      if (links === undefined) delete process.env.PIP_FIND_LINKS
      else process.env.PIP_FIND_LINKS = links
    })
    const into = path.join(folder, 'kept')
    mkdirSync(into)
    const { size } = statSync(wheel)
    await fetchWheels(
      into,
      [{ requirement: 'standin-tensorflow==1.0', sha256: sha256(wheel), bytes: size }],
      1,
    )
    assert.ok(existsSync(path.join(into, 'tensorflow/libtensorflow_cc.so.2')))
    assert.match(
      readFileSync(path.join(into, 'tensorflow/include/tensorflow/c/c_api.h'), 'utf8'),
      /^Metadata/,
    )
    assert.equal(statSync(path.join(into, 'nvidia/cuda_nvcc/bin/ptxas')).mode & 0o777, 0o755)
    for (const left of ['tensorflow/python', 'standin_tensorflow-1.0.dist-info', 'download'])
      assert.ok(!existsSync(path.join(into, left)), left)
  },
)
