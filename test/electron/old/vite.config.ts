import path from 'node:path'
import { defineConfig, mergeConfig } from 'vite'
import base from '../../../vite.config.ts'
import { root } from '../../../main/setup/process.mjs'

const MAIN = path.join(root, 'renderer/main.ts')

// The page for Electron 22 (Chromium 108): its syntax lowered, what the library lacks added.
export default mergeConfig(
  base,
  defineConfig({
    root: path.join(root, 'renderer'),
    plugins: [
      {
        name: 'polyfills',
        transform: (code, id) => (id === MAIN ? `import 'core-js/actual'\n${code}` : undefined),
      },
    ],
    build: { outDir: path.join(root, '.out/desktop-old/page'), target: 'chrome108' },
  }),
)
