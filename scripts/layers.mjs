// Who may import whom: the table of docs/architecture.md section 4 as lint rules.

const everything = [
  'core',
  'model',
  'openai',
  'registry',
  'store',
  'engine',
  'runner',
  'bridge',
  'state',
  'components',
  'i18n',
];

/** Folder → the `#lib` folders it may import besides itself, and what else it may not. */
const layers = {
  core: { may: [], never: ['svelte'] },
  model: { may: ['core'], never: ['svelte'] },
  openai: { may: ['core'], never: ['svelte'] },
  registry: { may: ['core', 'model', 'openai'], never: ['svelte'] },
  store: { may: ['core', 'model', 'openai'], never: ['svelte'] },
  engine: { may: ['core', 'model', 'openai'], never: ['svelte'] },
  runner: {
    // `ingest` and `garbage` are written against the store's port alone.
    may: [
      'core',
      'model',
      'openai',
      'registry/port',
      'store/port',
      'store/ingest',
      'store/garbage',
      'engine/port',
    ],
    never: ['svelte'],
  },
  bridge: { may: ['core', 'runner/runner'], never: ['svelte'] },
  state: { may: ['core', 'model', 'openai', 'bridge'], never: [] },
  components: { may: ['core', 'model', 'state', 'i18n'], never: [] },
};

const elsewhere = {
  'src/routes': { may: ['components', 'state'], never: [] },
  'src/workers': {
    may: ['core', 'model', 'openai', 'registry', 'store', 'engine', 'runner', 'bridge'],
    never: ['svelte'],
  },
  // Loaded by anybody's page: types alone, so that nothing is bundled with it.
  'src/sampan-js': { may: ['bridge/foreign/protocol'], never: ['svelte'] },
  'src/service-worker': { may: ['core', 'bridge'], never: ['svelte'] },
  server: {
    // What both ends of the socket to the tab are made of.
    may: [
      'core',
      'bridge/protocol',
      'bridge/socket/protocol',
      'bridge/credit',
      'bridge/failures',
      'bridge/watchdog',
    ],
    never: ['svelte'],
  },
};

const homes = [
  ...Object.entries(layers).map(([name, layer]) => [
    `src/lib/${name}`,
    { ...layer, may: [name, ...layer.may] },
  ]),
  ...Object.entries(elsewhere),
];

/**
 * Tests may reach for twins and fixtures of other layers.
 *
 * @type {import('eslint').Linter.Config[]}
 */
export const layerRules = homes.map(([folder, layer]) => ({
  files: [`${folder}/**/*.ts`, `${folder}/**/*.svelte`],
  ignores: ['**/*.test.ts', '**/testing/**'],
  rules: { 'no-restricted-imports': ['error', { patterns: patternsFor(layer) }] },
}));

function patternsFor({ may, never }) {
  const patterns = [
    {
      regex: `^#lib/(?!(?:${may.map(folderOrFile).join('|')}))(?:${everything.join('|')})/`,
      message: 'This layer may not know that one (docs/architecture.md section 4).',
    },
    { regex: '^#tests/', message: 'The product does not import its tests.' },
    { regex: '^\\.\\./', message: 'Across folders the import starts with #lib.' },
  ];
  if (never.includes('svelte'))
    patterns.push({
      regex: '^(svelte|\\$app|\\$lib|@sveltejs)(/|$)',
      message: 'This layer knows no Svelte.',
    });
  return patterns;
}

/** `runner/runner` allows one file, `core` a folder. */
function folderOrFile(name) {
  return name.includes('/') ? `${name}\\.ts$` : `${name}/`;
}
