/** Set-up as a whole, in a fresh clone, with stand-ins for everything that would be downloaded or compiled. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { noteIllegalInstruction, verdictOn } from '../../main/setup/illegal.mjs'
import { wheelsFor } from '../../main/setup/wheels.ts'
import { until } from '../main/stand-in-app.ts'
import { freshClone, librariesFor, STAND_INS, type Clone, type Run } from './clone.ts'

const addonOf = (clone: Clone): string =>
  path.join(clone.folder, 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node')
const inCache = (clone: Clone): string[] => (existsSync(clone.cache) ? readdirSync(clone.cache).sort() : [])
/** What is neither an addon nor the engine's kernels. */
const leftovers = (clone: Clone): string[] =>
  inCache(clone).filter((name) => !/^(addon|kernels)(-[0-9a-f]{12})+$/.test(name))
const addonsCompiled = (clone: Clone): string[] =>
  clone.calls().filter((call) => call.startsWith('g++') && call.includes('tfjs_binding.cc'))
const lastLine = ({ stderr }: Run): string => stderr.trim().split('\n').at(-1) ?? ''
/** The runtime alone: `bench` needs no page, and the program it starts then is not in the clone. */
const SETUP = ['bench']
const setUp = async (clone: Clone, env: NodeJS.ProcessEnv = {}): Promise<Run> => {
  const ran = await clone.run(SETUP, env)
  assert.match(ran.stderr, /Cannot find module .*test\/bench\/run\.ts/s, ran.stderr)
  return ran
}
/** One sentence, exit code 1, and nothing kept in the cache. */
const refused = async (clone: Clone, sentence: RegExp, env: NodeJS.ProcessEnv = {}): Promise<void> => {
  const ran = await clone.run(SETUP, env)
  assert.match(lastLine(ran), sentence)
  assert.equal(ran.code, 1)
  assert.ok(!existsSync(addonOf(clone)))
  assert.deepEqual(inCache(clone), [])
}

test("the user's own libraries come first: one addon is compiled, and a second run does nothing", async (t) => {
  const clone = freshClone(t)
  const env = { NORMFORGE_TENSORFLOW: librariesFor(clone) }
  await setUp(clone, env)
  const compiled = addonsCompiled(clone)
  assert.equal(compiled.length, 1)
  assert.match(compiled[0]!, /-Wl,-rpath,\$ORIGIN\/libraries$/)
  assert.ok(lstatSync(addonOf(clone)).isSymbolicLink())
  assert.equal(
    readlinkSync(path.join(path.dirname(readlinkSync(addonOf(clone))), 'libraries')),
    env.NORMFORGE_TENSORFLOW,
  )
  assert.ok(!clone.calls().some((call) => call.includes('pip download')))

  const before = clone.calls()
  const again = await setUp(clone, env)
  assert.deepEqual(clone.calls(), before)
  assert.doesNotMatch(again.stderr, /normforge:/)
})

test('a folder without libraries is named', async (t) => {
  await refused(
    freshClone(t),
    /NORMFORGE_TENSORFLOW: needed a folder with libtensorflow's libraries and C headers, got \/nowhere/,
    { NORMFORGE_TENSORFLOW: '/nowhere' },
  )
})

test("the wheel is asked for at once: tfjs-node-gpu's own download, which nobody verifies, is never run", async (t) => {
  const clone = freshClone(t)
  const ran = await clone.run(SETUP)
  assert.match(ran.stderr, /fetching tensorflow-cpu==[\d.]+\n/)
  await refused(
    clone,
    /tensorflow-cpu==[\d.]+ can't be downloaded: is the network there\? pip says: ERROR: Could not/,
  )
  assert.ok(!existsSync(path.join(clone.folder, 'node_modules/@tensorflow/tfjs-node-gpu/downloaded')))
})

test('an addon that such a download once left is replaced', async (t) => {
  const clone = freshClone(t)
  const left = `mkdir -p $tfjs/lib/napi-v8; echo unverified > $tfjs/lib/napi-v8/tfjs_binding.node`
  clone.provide('npm', STAND_INS.npm + left)
  await setUp(clone, { NORMFORGE_TENSORFLOW: librariesFor(clone) })
  assert.equal(readFileSync(addonOf(clone), 'utf8'), 'addon\n')
})

test('with an NVIDIA driver the GPU wheel and its companions are what would be fetched', async (t) => {
  const clone = freshClone(t)
  clone.provide('nvidia-smi', STAND_INS['nvidia-smi'])
  const { stderr } = await clone.run(SETUP)
  const list = /fetching (tensorflow==.*)\n/.exec(stderr)?.[1]?.split(', ') ?? []
  assert.deepEqual(
    list,
    wheelsFor('gpu').map(({ requirement }) => requirement),
  )
  for (const part of [
    'cublas',
    'cudnn',
    'cufft',
    'cusolver',
    'cusparse',
    'nccl',
    'cuda-runtime',
    'cuda-nvcc',
  ])
    assert.ok(
      list.some((requirement) => requirement.startsWith(`nvidia-${part}-cu12==`)),
      part,
    )
  const asked = clone.calls().find((call) => call.includes('pip download'))
  assert.match(
    asked ?? '',
    /--no-deps --only-binary=:all:.*--python-version 3\.11.*manylinux_2_27_x86_64.* tensorflow==/,
  )
})

test('what is missing gets one sentence that says how to get it, and nothing stays behind', async (t) => {
  const missing = async (name: string, sentence: RegExp, replacement?: string): Promise<void> => {
    const clone = freshClone(t)
    if (replacement === undefined) clone.remove(name)
    else clone.provide(name, replacement)
    await refused(clone, sentence)
    assert.ok(!clone.calls().some((call) => call.includes('pip download')), `${name}: nothing was fetched`)
  }
  await missing('g++', /a C\+\+ compiler \(g\+\+\) is missing; install one \(Debian: apt-get install g\+\+\)/)
  await missing('python3', /Python 3 is missing; install it \(Debian: apt-get install python3 python3-pip\)/)
  await missing(
    'python3',
    /pip is missing for Python 3; install it \(Debian: apt-get install python3-pip\)/,
    'case "$*" in *pip*) exit 1 ;; esac',
  )
  await missing('npm', /npm is missing; install Node\.js 20 or newer with npm/)
  await missing(
    'npm',
    /packages can't be installed: is the network there\? npm says: npm error network request failed/,
    '[ "$1" = ci ] || exit 0; echo "npm error code ENOTFOUND" >&2; echo "npm error network request failed" >&2; exit 1',
  )
})

test('a wheel with another checksum is refused', async (t) => {
  const clone = freshClone(t)
  clone.provide(
    'python3',
    `case "$*" in *'pip download'*)
  while [ $# -gt 0 ]; do [ "$1" = --dest ] && dest="$2"; shift; done
  echo other > "$dest/tensorflow_cpu.whl" ;; esac`,
  )
  await refused(clone, /tensorflow_cpu\.whl: needed SHA-256 2b847d21[0-9a-f]+, got [0-9a-f]{64}/)
})

test('packages are installed again when the lock file has changed, and only then', async (t) => {
  const clone = freshClone(t)
  const env = { NORMFORGE_TENSORFLOW: librariesFor(clone) }
  const installs = (): number => clone.calls().filter((call) => call.startsWith('npm ci')).length
  await setUp(clone, env)
  await setUp(clone, env)
  assert.equal(installs(), 1)
  writeFileSync(path.join(clone.folder, 'package-lock.json'), '{}')
  await setUp(clone, env)
  assert.equal(installs(), 2)
})

test('two set-ups at once do the work once', async (t) => {
  const clone = freshClone(t)
  const env = { NORMFORGE_TENSORFLOW: librariesFor(clone), COMPILER_SECONDS: '1' }
  await Promise.all([setUp(clone, env), setUp(clone, env)])
  assert.equal(clone.calls().filter((call) => call.startsWith('npm ci')).length, 1)
  assert.equal(addonsCompiled(clone).length, 1)
  assert.deepEqual(leftovers(clone), [])
})

test('a set-up killed half-way leaves nothing that looks installed, and the next one cleans up', async (t) => {
  const clone = freshClone(t)
  const env = { NORMFORGE_TENSORFLOW: librariesFor(clone) }
  const child = clone.start(SETUP, { ...env, COMPILER_SECONDS: '60' })
  const ended = new Promise((resolve) => child.on('close', resolve))
  await until('the compiler', () => addonsCompiled(clone).length > 0)
  process.kill(-child.pid!, 'SIGKILL')
  await ended
  assert.ok(!existsSync(addonOf(clone)))
  assert.deepEqual(
    leftovers(clone).map((name) => path.extname(name)),
    ['.lock', '.partial'],
  )
  await setUp(clone, env)
  assert.equal(readFileSync(addonOf(clone), 'utf8'), 'addon\n')
  assert.deepEqual(leftovers(clone), [])
})

test('a runtime that lost bytes is made anew', async (t) => {
  const clone = freshClone(t)
  const env = { NORMFORGE_TENSORFLOW: librariesFor(clone) }
  await setUp(clone, env)
  writeFileSync(readlinkSync(addonOf(clone)), '')
  const { stderr } = await setUp(clone, env)
  assert.match(stderr, /is damaged: making it anew/)
  assert.equal(readFileSync(addonOf(clone), 'utf8'), 'addon\n')
})

test('kernels are compiled anew for another compiler, -march or source; without a compiler those that are there do', async (t) => {
  const clone = freshClone(t)
  const env = { NORMFORGE_TENSORFLOW: librariesFor(clone) }
  const compiled = (): string[] =>
    clone.calls().filter((call) => call.startsWith('g++') && call.includes('addon.cc'))
  const link = path.join(path.dirname(addonOf(clone)), 'normforge_kernels.node')
  await setUp(clone, env)
  assert.match(compiled()[0]!, / -march=native /)
  const first = readlinkSync(link)
  await setUp(clone, { ...env, NORMFORGE_MARCH: 'x86-64-v3' })
  assert.match(compiled()[1]!, / -march=x86-64-v3 /)
  assert.notEqual(readlinkSync(link), first)
  clone.provide('g++', `${STAND_INS['g++']}# a newer one\n`)
  await setUp(clone, env)
  assert.equal(compiled().length, 3)
  clone.remove('g++')
  await setUp(clone, env)
  assert.ok(existsSync(link), 'what any compiler made of the same')
  clone.provide('g++', STAND_INS['g++'])
  appendFileSync(path.join(clone.folder, 'main/engine/native/addon.cc'), '// changed\n')
  await setUp(clone, env)
  assert.equal(compiled().length, 4)
})

test('paths may hold whatever a file system allows', async (t) => {
  for (const named of ['a,b', 'a b', 'a#b', `a'b"c`, 'a\nb', 'ä漢', 'a$b', 'a%20b', '-a', 'a:b;c&d']) {
    // A colon would end a path on PATH, where the stand-ins lie.
    const clone = freshClone(t, named.includes(':') ? '' : named)
    const env = {
      NORMFORGE_TENSORFLOW: librariesFor(clone),
      NORMFORGE_CACHE: path.join(clone.cache, named),
    }
    await setUp(clone, env)
    const before = clone.calls()
    assert.doesNotMatch((await setUp(clone, env)).stderr, /normforge:/, named)
    assert.deepEqual(clone.calls(), before, named)
    assert.ok(existsSync(addonOf(clone)) && readlinkSync(addonOf(clone)).includes(`/${named}/`), named)
  }
})

test('a cache folder that can’t be made, written or reached is named in one sentence', async (t) => {
  const clone = freshClone(t)
  const libraries = { NORMFORGE_TENSORFLOW: librariesFor(clone) }
  const file = path.join(clone.folder, 'package.json')
  const nowhere = path.join(clone.folder, 'to-nowhere')
  symlinkSync('/nowhere/at/all', nowhere)
  for (const [cache, sentence] of [
    ['/proc/nope', /\/proc\/nope can't be made: there is no such place \(ENOENT\); it is the folder/],
    ['/proc/nope/deeper', /\/proc\/nope can't be made/],
    [file, /package\.json can't be made: a part of this path is no folder \(ENOTDIR\)/],
    [`${file}/below`, /package\.json\/below can't be made: a part of this path is no folder/],
    [nowhere, /to-nowhere can't be made: something else is there \(EEXIST\)/],
    [`/tmp/${'x'.repeat(300)}`, /x can't be (made|reached): the name is too long/],
  ] as const) {
    const ran = await clone.run(SETUP, { ...libraries, NORMFORGE_CACHE: cache })
    assert.equal(ran.code, 1, cache)
    assert.match(lastLine(ran), sentence)
    assert.match(lastLine(ran), /: set NORMFORGE_CACHE to another one$/)
    assert.doesNotMatch(ran.stderr, /^\s+at /m, cache)
  }
})

test('an empty or relative NORMFORGE_CACHE means what it would in a shell', async (t) => {
  const clone = freshClone(t)
  const env = { NORMFORGE_TENSORFLOW: librariesFor(clone) }
  await setUp(clone, { ...env, NORMFORGE_CACHE: 'relative' })
  assert.equal(path.dirname(path.dirname(readlinkSync(addonOf(clone)))), path.join(clone.folder, 'relative'))
  await setUp(clone, { ...env, NORMFORGE_CACHE: '', XDG_CACHE_HOME: 'ignored' })
  const home = path.dirname(clone.folder)
  assert.equal(path.dirname(path.dirname(readlinkSync(addonOf(clone)))), path.join(home, '.cache/normforge'))
})

test('on ARM, on musl, on old systems and processors one sentence says what is needed, before anything is fetched', async (t) => {
  const clone = freshClone(t)
  const pretend = (script: string): NodeJS.ProcessEnv => {
    const file = path.join(path.dirname(clone.folder), 'pretend.cjs')
    writeFileSync(file, script)
    return { NODE_OPTIONS: `--require ${file}` }
  }
  const report = (header: object): string =>
    `process.report.getReport = () => (${JSON.stringify({ header })})`
  const cpuinfo = `const fs = require('fs'), open = fs.openSync
    fs.openSync = (file, ...rest) => open(file === '/proc/cpuinfo' ? __dirname + '/cpuinfo' : file, ...rest)`
  writeFileSync(path.join(path.dirname(clone.folder), 'cpuinfo'), 'processor : 0\nflags : fpu sse sse2\n\n')
  for (const [script, got] of [
    [`Object.defineProperty(process, 'arch', { value: 'arm64' })`, 'linux on arm64'],
    [`Object.defineProperty(process, 'platform', { value: 'darwin' })`, 'darwin on x64'],
    [report({}), 'Linux with musl or another C library'],
    [report({ glibcVersionRuntime: '2.17' }), 'Linux with glibc 2.17'],
    [cpuinfo, 'a processor without AVX'],
  ] as const) {
    const env = pretend(script)
    for (const verb of ['bench', 'start', 'setup']) {
      const ran = await clone.run([verb], env)
      assert.equal(ran.code, 1)
      assert.equal(
        ran.stderr,
        `normforge: TensorFlow's published libraries need Linux with glibc 2.27 or newer, on x86-64 with AVX, got ${got}: ` +
          'name a folder with libraries made for this machine in NORMFORGE_TENSORFLOW\n',
      )
    }
    assert.ok(!clone.calls().some((call) => /npm ci|pip download/.test(call)))
  }
  const arm = pretend(`Object.defineProperty(process, 'arch', { value: 'arm64' })`)
  await setUp(clone, { ...arm, NORMFORGE_TENSORFLOW: librariesFor(clone) })
})

test('kernels of which a worker died by an illegal instruction are compiled anew; if it comes again, left out', async (t) => {
  const clone = freshClone(t)
  const env = { NORMFORGE_TENSORFLOW: librariesFor(clone) }
  const link = path.join(path.dirname(addonOf(clone)), 'normforge_kernels.node')
  const die = (): void => {
    noteIllegalInstruction(link)
    // Another worker, of the same kernels.
    noteIllegalInstruction(link)
  }
  const compiled = (): number =>
    clone.calls().filter((call) => call.startsWith('g++') && call.includes('addon.cc')).length
  await setUp(clone, env)
  const folder = path.dirname(readlinkSync(link))
  assert.equal(verdictOn(folder), 'fine')
  die()
  assert.equal(verdictOn(folder), 'stale')
  await setUp(clone, env)
  assert.deepEqual([compiled(), verdictOn(folder)], [2, 'fine'])
  await setUp(clone, env)
  assert.equal(compiled(), 2)
  die()
  assert.equal(verdictOn(folder), 'hopeless')
  const { stderr } = await setUp(clone, env)
  assert.match(stderr, /going without the engine's own kernels, more slowly: compiled anew, they still held/)
  assert.ok(!existsSync(link))
  assert.equal(compiled(), 2)
})
