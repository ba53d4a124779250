// Every environment variable of the program's own: the README, the command line's --help and the doctor say what stands here.
// Plain JavaScript without dependencies, since the doctor runs before anything is installed.

/**
 * @typedef {object} Switch
 * @property {string} name
 * @property {string} value what it is set to
 * @property {string} does
 * @property {'use' | 'engine' | 'tests'} of whom it is for: users; whoever looks for a fault in the engine; the tests
 */

/** @param {Switch['of']} of @param {readonly (readonly [name: string, value: string, does: string])[]} rows */
const group = (of, rows) =>
  rows.map(([name, value, does]) => ({ name: `NORMFORGE_${name}`, value, does, of }))

/** @type {readonly Switch[]} */
export const SWITCHES = [
  ...group('use', [
    ['DATA', 'a folder', 'where searches, transfers and logs are kept'],
    ['CACHE', 'a folder', 'what set-up keeps: Node, libraries, compiled kernels, measurements'],
    ['TENSORFLOW', 'a folder', "TensorFlow's libraries and C headers to use instead of fetching any"],
    ['LOG', 'error, warning, info or debug', "what workers' logs hold (default: info)"],
    ['REDIS', 'an address', "the Redis through which work goes to other machines' workers, as `--redis`"],
    ['REDIS_CA', 'a file', 'the certificate of its own authority, as `--redis-ca`'],
    ['PYTHON', 'a program', 'a Python with PyTorch, for benchmarks and tests (default: python3)'],
  ]),
  ...group('engine', [
    [
      'MARCH',
      'such as x86-64-v3',
      "the processor that the engine's kernels are compiled for (default: this one)",
    ],
    ['KERNELS', '0', "goes without the engine's own kernels"],
    ['LAYERS', 'ops or tape', "computes layers by TensorFlow's ops, or by TensorFlow.js's own gradients"],
    ['EAGER', '1', 'runs each op by itself instead of recording steps'],
    ['DEPTHWISE', 'tensorflow', "computes depthwise convolutions' gradients by TensorFlow's ops alone"],
    ['EVALUATOR', 'a file', "what worker processes run instead of the engine's evaluator"],
  ]),
  ...group('tests', [
    ['CHROMIUM', 'a program', 'the browser of the tests of the page'],
    ['PICTURES', 'a folder', 'where tests of the page put pictures to look at'],
    ['EVERY_WRITE', '1', 'lets the disk fail at every write of the store'],
    ['CLOCK_BACK_AT', 'milliseconds', 'when the clock of a program under test goes back by an hour'],
    ['STANDIN_MS', 'milliseconds', 'how long a stand-in evaluator takes for a candidate'],
    ['STANDIN_LOG', 'a file', 'where a stand-in evaluator writes what it did'],
    ['STANDIN_FAULTS', 'JSON', 'what goes wrong in a stand-in evaluator, by candidate'],
    ['STANDIN_DATA', 'read', 'lets a stand-in evaluator check folders as the engine does'],
    ['KIT', 'a folder', "where a GPU kit's run.sh unpacks it (default: beside it)"],
  ]),
]

const described = SWITCHES.filter(({ of }) => of !== 'tests')

/** The README's table. */
export const switchTable = () =>
  [
    '| variable | value | what it does |',
    '| --- | --- | --- |',
    ...described.map(({ name, value, does }) => `| \`${name}\` | ${value} | ${does} |`),
  ].join('\n')

/** What --help says. */
export const switchHelp = () => {
  const width = Math.max(...described.map(({ name }) => name.length))
  return `Environment variables:\n${described.map(({ name, value, does }) => `  ${name.padEnd(width)}  ${does}: ${value}`).join('\n')}`
}

/** Those that are set, as the doctor says them, and names that no part of the program knows. */
export const switchesSet = (env = process.env) => {
  const names = Object.keys(env)
    .filter((name) => name.startsWith('NORMFORGE_'))
    .sort()
  const known = new Set(SWITCHES.map(({ name }) => name))
  return {
    set: names.filter((name) => known.has(name)).map((name) => `${name}=${env[name]}`),
    unknown: names.filter((name) => !known.has(name)),
  }
}
