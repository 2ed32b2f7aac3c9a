/** The import rules of docs/ARCHITECTURE.md. `npm run rules`. A folder may import itself and what is listed. */
const may = {
  lib: [],
  columnar: ['lib'],
  schemas: ['lib'],
  contracts: ['schemas', 'columnar', 'lib'],
  connectors: ['columnar', 'schemas', 'lib'],
  pipeline: ['connectors/(registry|connector)\\.ts$', 'contracts', 'columnar', 'schemas', 'lib'],
  catalog: ['contracts', 'schemas', 'lib'],
  'exchange/store': ['lib'],
  'exchange/audit': ['schemas', 'lib'],
  'exchange/publication': ['exchange/store', 'catalog', 'contracts', 'columnar', 'schemas', 'lib'],
  'exchange/access': [
    'exchange/publication',
    'exchange/store',
    'exchange/audit',
    'catalog',
    'contracts',
    'columnar',
    'schemas',
    'lib',
  ],
  'activities/source': [
    'activities/failure\\.ts$',
    'pipeline',
    'connectors/(registry|connector)\\.ts$',
    'contracts',
    'schemas',
    'lib',
  ],
  'activities/exchange': ['activities/failure\\.ts$', 'catalog', 'exchange', 'contracts', 'columnar', 'schemas', 'lib'],
  workflows: ['lib/pure', 'lib/error-codes\\.ts$'],
  server: ['exchange', 'catalog', 'contracts', 'columnar', 'schemas', 'lib', 'workflows/messages\\.ts$'],
  cli: ['columnar', 'contracts', 'schemas', 'exchange/audit/verify', 'lib'],
};
const folders = Object.entries(may).map(([folder, allowed]) => ({
  name: `${folder} imports`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: {
    path: '^(?!node_modules)',
    pathNot: [`^${folder}/`, ...allowed.map((a) => `^${a}${a.endsWith('$') ? '' : '/'}`), '^node_modules/'],
    dependencyTypesNot: ['core', 'npm', 'npm-dev', 'type-only', 'pre-compilation-only'],
  },
}));
module.exports = {
  forbidden: [
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'connector kinds never import each other',
      severity: 'error',
      from: { path: '^connectors/([^/]+)/' },
      to: { path: '^connectors/[^/]+/', pathNot: '^connectors/($1|conformance)/' },
    },
    {
      name: 'nothing imports a test',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'nothing imports an entry point',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^runtime/(server|worker|demo)\\.ts$' },
    },
    {
      name: 'only runtime, cli and tests know runtime',
      severity: 'error',
      from: { pathNot: '^(runtime|test|bench)/' },
      to: { path: '^runtime/' },
    },
    ...folders,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(schemas/generated|\\.huitong)' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
