/**
 * Who may import whom. `test/rules/boundaries.test.ts` breaks each rule once and expects it to be noticed.
 * Values, types and what a file reaches through others count alike, except where a rule says "directly".
 */
const PROCESSES = '^(api|worker|sandbox|local|bench|chaos|cli|console|test)/';
/** Code whose result depends on its arguments only. */
const PURE = [
  '^shared/domain/',
  '^shared/providers/[^/]+/(mapping|failures|descriptor|batch|bulk-file|bulk-results)\\.ts$',
  '^shared/providers/(batches|bulk-pays)\\.ts$',
  '^worker/decide\\.ts$',
  '^worker/[^/]+/decide\\.ts$',
];
const packages = (...names) => `(^|/)node_modules/(${names.join('|')})/`;
const NODE_IO =
  '^(node:)?(fs|net|tls|https?|http2|dns|dgram|child_process|cluster|worker_threads|timers|readline|process|os|inspector|perf_hooks)(/promises)?$';

/** What makes files able to call a CRM. */
const CRM_CALLS = [
  '^shared/providers/[^/]+/client\\.ts$',
  '^shared/providers/(clients|bulk-clients|send|gate)\\.ts$',
];

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    forbid('no-cycles', 'A cycle has no order in which it can be understood.', {}, { circular: true }),
    forbid(
      'shared-knows-no-process',
      'Both processes rest on shared/; it may rest on neither.',
      { path: '^shared/' },
      { path: PROCESSES },
    ),
    forbid('api-not-worker', 'The processes meet in Redis only.', { path: '^api/' }, { path: '^worker/' }),
    forbid('worker-not-api', 'The processes meet in Redis only.', { path: '^worker/' }, { path: '^api/' }),
    forbid(
      'processes-stand-alone',
      'What runs in production does not need what starts it on a laptop, tests or measures it.',
      { path: '^(api|worker)/' },
      // The API hands out the console's files; it runs none of them.
      { path: '^(sandbox|local|bench|chaos|cli|console|test)/' },
    ),
    forbid(
      'api-calls-no-crm',
      'The API accepts and answers; it must not even reach code that calls a CRM.',
      { path: '^api/' },
      { path: CRM_CALLS, reachable: true },
    ),
    forbid(
      'pure-does-no-io',
      'Mapping, classification and decisions are functions of their arguments, tested as tables.',
      { path: PURE },
      { path: [NODE_IO, packages('ioredis', 'undici', 'bullmq', 'express', 'pino')], reachable: true },
    ),
    forbid(
      'providers-stand-alone',
      'Adding or changing one CRM must not touch another.',
      { path: '^shared/providers/([^/]+)/' },
      { path: '^shared/providers/[^/]+/', pathNot: '^shared/providers/$1/' },
    ),
    forbid(
      'domain-rests-on-nothing',
      'What is special to a CRM stays in its folder, how things are stored in the stores.',
      { path: '^shared/domain/' },
      { path: '^shared/(providers|stores|queues|redis|use-cases|contract)/' },
    ),
    forbid(
      'sandbox-stands-alone',
      'It is a second reading of the CRMs’ documentation; sharing code would hide misreadings.',
      { path: '^sandbox/' },
      { path: '^(api|worker|shared|local|bench|chaos|cli|console|test)/' },
    ),
    forbid(
      'clients-use-http',
      'The browser and command line clients know what the public API says, like anybody else.',
      { path: '^(cli|console)/' },
      { path: '^(api|worker|shared|sandbox|local|bench|chaos|test)/' },
    ),
    forbid(
      'bullmq-in-its-place',
      'The engine is known to few files (directly).',
      {
        path: '.',
        pathNot: [
          '^shared/queues/',
          '^worker/(run-queue|attach-accounts)\\.ts$',
          '^api/routes/admin-queues\\.ts$',
          '^test/',
          '^(bench|chaos)/',
          'node_modules',
        ],
      },
      { path: packages('bullmq') },
    ),
    forbid(
      'ioredis-in-its-place',
      'Others get a store, not a connection library (directly).',
      { path: '.', pathNot: ['^shared/(redis|queues|stores)/', '^test/', '^(bench|chaos)/', 'node_modules'] },
      { path: packages('ioredis') },
    ),
    forbid(
      'express-in-its-place',
      'HTTP in is the business of the API and the sandbox (directly).',
      { path: '.', pathNot: ['^(api|sandbox)/', '^(test|bench)/', 'node_modules'] },
      { path: packages('express', '@types/express') },
    ),
    forbid(
      'undici-in-its-place',
      'Calls out pass the gate; what sends them is in few files (directly).',
      { path: '^(api|shared/(?!providers/))' },
      { path: packages('undici') },
    ),
    forbid(
      'no-dev-packages-in-production',
      'The image is installed without development packages.',
      { path: '^(api|worker|shared|sandbox|cli|console)/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: packages('@types') },
    ),
    forbid('resolvable', 'An import that leads nowhere.', {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(coverage|\\.data)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
    cache: false,
  },
};
