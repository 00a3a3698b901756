import tseslint from 'typescript-eslint'

/** Comments that begin like riddles: they say neither what a thing is, nor what it does or guarantees. */
const RIDDLE = /^\s*\*?\s*(?:What|Who|Whoever|Whom|Of|That|For whom)\b/

const plainComments = {
  meta: {
    type: 'suggestion',
    messages: { riddle: 'say what this is, does or guarantees; do not begin with "{{word}}"' },
    schema: [],
  },
  create: context => ({
    Program() {
      let before
      for (const comment of context.sourceCode.getAllComments()) {
        const continues =
          comment.type === 'Line' && before?.type === 'Line' && before.loc.end.line === comment.loc.start.line - 1
        if (!continues && RIDDLE.test(comment.value))
          context.report({ loc: comment.loc, messageId: 'riddle', data: { word: comment.value.match(/[A-Z]\w+/)[0] } })
        before = comment
      }
    },
  }),
}

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.tap', '.cache', 'src/contract/generated', 'golden/generator'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', 'bin/*.js', 'test/fixtures/*.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { project: { rules: { 'plain-comments': plainComments } } },
    rules: {
      'project/plain-comments': 'error',
      'no-console': 'error',
      // tap's t.test() answers a promise that the test around it waits for anyway.
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: 'test', package: '@tapjs/test' }] },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    },
  },
  { files: ['bin/**', 'scripts/**', 'bench/**'], rules: { 'no-console': 'off' } },
  // These have no types: they import files that the build makes, or run before TypeScript can be loaded.
  { files: ['eslint.config.js', 'bin/*.js', 'test/fixtures/*.js'], extends: [tseslint.configs.disableTypeChecked] },
  // CommonJS, which starts sooner (docs/adr/0020-lean-start.md).
  { files: ['bin/*.js'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
)
