import { defineConfig } from 'vite'

// The desktop window's own program: main/electron as one CommonJS file, which Electron loads from its archive.
export default defineConfig({
  ssr: { noExternal: true, external: ['electron'] },
  build: {
    ssr: 'main/electron/main.ts',
    outDir: '.out/desktop',
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    rollupOptions: { output: { format: 'cjs', entryFileNames: 'main.cjs' } },
  },
  publicDir: false,
})
