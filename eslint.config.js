import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'
import { LAYERS } from './eslint.layers.js'

// Imports point one way: main -> shared <- renderer. TensorFlow.js lives in main/engine, Electron in main/electron.
const ban = (...bans) => ({
  'no-restricted-imports': [
    'error',
    { patterns: bans.map((each) => (Array.isArray(each) ? { group: each[0], message: each[1] } : each)) },
  ],
})
const noElectron = [['electron', 'electron/*'], 'only main/electron imports Electron']
const noTensorFlow = [['@tensorflow/*'], 'only main/engine imports TensorFlow.js']
const noNode = [['node:*'], 'shared and renderer run without Node']
const noMain = [['**/main/**'], 'shared and renderer never import main']
const noRenderer = [['**/renderer/**'], 'main and shared never import renderer']

// What a data set, an architecture or a task does differently stands in its descriptor (shared/catalog.ts, shared/transfer),
// so that a new one is described once and no place that asked for the others by name is forgotten.
const NAMES = 'shapes|cifar10|coco|resnet|mobilenetv2|efficientnet|segmentation|synthesis|verification'
const byName = (literal) => ({
  selector: literal,
  message:
    'decides by the name of a data set, an architecture or a task: put the difference into its descriptor',
})
const noNames = [
  byName(`BinaryExpression[operator=/^[!=]==?$/] > Literal[value=/^(${NAMES})$/]`),
  byName(`SwitchCase > Literal[value=/^(${NAMES})$/]`),
  // Files have a kind `folder`, too: only a data set's is meant.
  byName(
    "BinaryExpression[operator=/^[!=]==?$/][left.object.name=/^(data|config)$/][left.property.name='kind'] > Literal[value='folder']",
  ),
]

export default ts.config(
  { ignores: ['node_modules', 'dist', '.out'] },
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }],
    },
  },
  {
    files: ['main/**/*.ts', 'shared/**/*.ts'],
    extends: [ts.configs.strictTypeCheckedOnly],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // What was caught is thrown on as it is, also when it was kept in between.
      '@typescript-eslint/only-throw-error': 'off',
      // `() => list.clear()` gives nothing, and says so shortest.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Libraries and files give less than their types promise: what asks again is no fault.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // A function is async for what its callers expect, whether it waits or not.
      '@typescript-eslint/require-await': 'off',
      // Objects of functions, which use no `this`, are taken apart everywhere.
      '@typescript-eslint/unbound-method': 'off',
      // Numbers and shapes stand in texts as they are.
      '@typescript-eslint/restrict-template-expressions': 'off',
      // `(error: Error) =>`: what rejects here is always an Error.
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
      // A type parameter that is used once still names what a caller reads.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Texts are cut where terminals do: by code points.
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    files: ['main/engine/**/*.ts'],
    rules: {
      // TensorFlow.js's tensors are narrowed by assertion; its generic calls would only say the same elsewhere.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: ['*.config.js', '**/*.config.ts', '**/*.svelte', '**/*.d.ts'],
    rules: { 'no-restricted-exports': 'off' },
  },
  {
    files: ['main/**', 'shared/**', 'renderer/**'],
    ignores: ['shared/catalog.ts', 'shared/transfer/**'],
    rules: { 'no-restricted-syntax': ['error', ...noNames] },
  },
  { files: ['shared/**'], rules: ban(noNode, noMain, noRenderer, noElectron, noTensorFlow) },
  {
    files: ['renderer/**'],
    languageOptions: { globals: globals.browser },
    rules: ban(noNode, noMain, noElectron, noTensorFlow),
  },
  {
    files: ['renderer/**/*.svelte', 'renderer/**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    files: ['main/**'],
    ignores: ['main/engine/**', 'main/electron/**'],
    rules: ban(noRenderer, noElectron, noTensorFlow),
  },
  { files: ['main/engine/**'], rules: ban(noRenderer, noElectron) },
  { files: ['main/electron/**'], rules: ban(noRenderer, noTensorFlow) },
  ...LAYERS.map(({ files, ignores, patterns }) => {
    const bans = files[0].startsWith('main/engine/')
      ? [noRenderer, noElectron]
      : [noRenderer, noElectron, noTensorFlow]
    return { files, ignores, rules: ban(...bans, ...patterns) }
  }),
)
