/**
 * A fresh clone with stand-ins for every program that set-up starts, so that nothing is downloaded: `run` runs
 * `main/setup/run.mjs` in it. The stand-ins write what they were asked to `calls`.
 */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { root } from '../../main/setup/process.mjs'

/** npm ci: a node_modules with a tfjs-node-gpu that works as soon as its addon is there. */
const NPM = `
[ "$1" = ci ] || exit 0
tfjs=node_modules/@tensorflow/tfjs-node-gpu
mkdir -p $tfjs/scripts $tfjs/binding
echo '{"version":"4.22.0","main":"index.js"}' > $tfjs/package.json
cat > $tfjs/index.js <<'JS'
if (!require('fs').existsSync(__dirname + '/lib/napi-v8/tfjs_binding.node')) throw new Error('no addon')
exports.add = () => ({ dataSync: () => [3] })
JS
cat > $tfjs/scripts/install.js <<'JS'
require('fs').writeFileSync('downloaded', 'without a checksum')
JS
`
/** g++: writes the file after -o. */
const COMPILER = `
while [ $# -gt 0 ]; do [ "$1" = -o ] && out="$2"; shift; done
[ -n "$out" ] || exit 0
sleep "\${COMPILER_SECONDS:-0}"
echo addon > "$out"
`
/** pip download: no network. */
const PYTHON = `
case "$*" in
  *'pip download'*) echo 'ERROR: Could not find a version that satisfies the requirement' >&2; exit 1 ;;
esac
`
const DRIVER = `
case "$*" in *--query-gpu*) echo 'Stand-in GPU, 81920 MiB' ;; *) echo 'GPU 0: Stand-in GPU' ;; esac
`

export type Run = { readonly code: number; readonly stdout: string; readonly stderr: string }
export type Clone = {
  readonly folder: string
  readonly cache: string
  /** Puts a stand-in on PATH: the body of a shell script. */
  readonly provide: (name: string, body: string) => void
  readonly remove: (name: string) => void
  readonly start: (args: readonly string[], env?: NodeJS.ProcessEnv) => ReturnType<typeof spawn>
  readonly run: (args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<Run>
  /** What the stand-ins were asked, in order: "name arguments". */
  readonly calls: () => string[]
}

export const STAND_INS = { npm: NPM, 'g++': COMPILER, python3: PYTHON, 'nvidia-smi': DRIVER }

/** What set-up reads. */
const PARTS = [
  ...[
    'main/setup',
    'main/engine/native',
    'main/store/folder.ts',
    'main/store/errors.ts',
    'main/workers/log.ts',
    'main/caller.ts',
  ],
  ...['package.json', 'package-lock.json'],
]

/** `named` stands in every path of the clone and its cache. */
export const freshClone = (t: TestContext, named = ''): Clone => {
  const home = mkdtempSync(path.join(tmpdir(), `normforge-setup-${named}`))
  t.after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))
  const folder = path.join(home, 'clone')
  const cache = path.join(home, 'cache')
  const bin = path.join(home, 'bin')
  const log = path.join(home, 'calls')
  for (const part of PARTS.filter((part) => existsSync(path.join(root, part))))
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
  mkdirSync(bin)

  const provide = (name: string, body: string): void => {
    const file = path.join(bin, name)
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> "$STAND_IN_LOG"\n${body}`)
    chmodSync(file, 0o755)
  }
  // What the stand-ins' own shell scripts need; nothing else of the system is on PATH.
  for (const name of ['sh', 'cat', 'mkdir', 'sleep', 'tar'])
    symlinkSync(['/bin', '/usr/bin'].map((at) => path.join(at, name)).find(existsSync)!, path.join(bin, name))
  for (const name of ['npm', 'g++', 'python3'] as const) provide(name, STAND_INS[name])

  const start: Clone['start'] = (args, env = {}) =>
    spawn(process.execPath, [path.join(folder, 'main/setup/run.mjs'), ...args], {
      cwd: folder,
      env: { PATH: bin, HOME: home, STAND_IN_LOG: log, NORMFORGE_CACHE: cache, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a test can end it with all that it started.
      detached: true,
    })
  return {
    folder,
    cache,
    provide,
    remove: (name) => rmSync(path.join(bin, name)),
    start,
    run: (args, env) =>
      new Promise((resolve, reject) => {
        const child = start(args, env)
        const text = { stdout: '', stderr: '' }
        child.stdout?.on('data', (chunk) => (text.stdout += String(chunk)))
        child.stderr?.on('data', (chunk) => (text.stderr += String(chunk)))
        child.on('error', reject)
        child.on('close', (code) => resolve({ code: code ?? -1, ...text }))
      }),
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  }
}

/** A folder of TensorFlow's libraries and headers, as far as set-up looks at them. */
export const librariesFor = (clone: Clone): string => {
  const libraries = path.join(path.dirname(clone.folder), 'tensorflow')
  mkdirSync(path.join(libraries, 'include/tensorflow/c'), { recursive: true })
  writeFileSync(path.join(libraries, 'include/tensorflow/c/c_api.h'), '')
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
    writeFileSync(path.join(libraries, name), name)
  return libraries
}
