/**
 * The layers inside main, and inside its engine: each folder may import those named beside it, and no other. Files right in
 * main (api.ts, workshop.ts and so on) put the folders together, so only the hosts import them; files.ts and versions.ts are below all.
 */
const MAIN = {
  setup: [],
  workers: ['setup'],
  store: ['setup'],
  engine: ['setup', 'workers'],
  search: ['setup', 'workers', 'store'],
  study: ['setup', 'store'],
  transfer: ['setup', 'workers', 'store'],
  remote: ['setup', 'workers', 'store'],
}
const HOSTS = ['browser', 'cli', 'desktop', 'electron']

/** The engine's own: a folder that is not here (the tasks, what inspects) may use all of it. */
const ENGINE = {
  metrics: [],
  data: ['metrics'],
  jit: [],
  depthwise: [],
  gradients: ['depthwise'],
  lowering: ['gradients'],
}
const ENGINE_UPPER = ['inspect', 'native', 'tasks']
/** The engine's own files that all its folders may import: the backend, and whether it has kernels of its own. */
const ENGINE_BASE = ['runtime.ts', 'kernels.ts']

const oneOf = (names) => `(?:${names.join('|')})`
const message = (folder, allowed) =>
  `${folder} may import ${allowed.length > 0 ? allowed.join(', ') : 'none of the folders beside it'}: see eslint.layers.js`

const inMain = Object.entries(MAIN).map(([folder, allowed]) => {
  const others = [...Object.keys(MAIN), ...HOSTS].filter((name) => name !== folder && !allowed.includes(name))
  const up = '^(?:\\.\\./)+'
  return {
    files: [`main/${folder}/**`],
    // The doctor looks at every layer.
    ignores: ['main/setup/doctor.mjs'],
    patterns: [
      { regex: `${up}${oneOf(others)}/`, message: message(folder, allowed) },
      {
        regex: `${up}${oneOf(['api', 'cli', 'converse', 'feed', 'page', 'policy', 'serve', 'workshop'])}\\.ts$`,
        message: 'files right in main put its folders together: only the hosts import them',
      },
    ],
  }
})

const inEngine = Object.entries(ENGINE).flatMap(([folder, allowed]) => {
  const others = [...Object.keys(ENGINE), ...ENGINE_UPPER].filter(
    (name) => name !== folder && !allowed.includes(name),
  )
  // A folder's own folders are one step further from the engine.
  return [1, 2].map((depth) => {
    const up = `^${'\\.\\./'.repeat(depth)}`
    return {
      files: [`main/engine/${folder}${'/*'.repeat(depth)}`],
      ignores: [],
      patterns: [
        ...inMain.find(({ files }) => files[0] === 'main/engine/**').patterns,
        { regex: `${up}${oneOf(others)}/`, message: message(folder, allowed) },
        {
          regex: `${up}(?!${oneOf(ENGINE_BASE.map((name) => name.replace('.', '\\.')))}$)[\\w-]+\\.ts$`,
          message: `of the engine's own files, ${folder} may import ${ENGINE_BASE.join(' and ')}`,
        },
      ],
    }
  })
})

/** Files, and the imports that are forbidden in them; a later one stands in place of an earlier one. */
export const LAYERS = [...inMain, ...inEngine]
