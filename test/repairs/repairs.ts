/** A repair of docs/guarantees.md: what is taken out of the code, and the test of its window, which must notice. */
export type Repair = {
  window: string;
  edits: { file: string; take: string; leave: string }[];
  test: string;
  /** The test's name, or what several begin with. */
  named: string;
};

const ACCEPT = 'test/e2e/crash-windows-accept.test.ts';
const WRITE = 'test/e2e/crash-windows-write.test.ts';
const IMPORT = 'test/e2e/crash-windows-import.test.ts';
const PROCESSOR = 'worker/write-opportunity/processor.ts';

const noOrphanSweep = {
  file: 'worker/sweep/start-sweeps.ts',
  take: "    ['orphans', sweepMs, () => requeueOrphans(deps)],\n",
  leave: '',
};
/** Neither the record's "sending" nor the script that begins an attempt keeps a second run from sending. */
const sendsBlindly = [
  { file: PROCESSOR, take: 'if (job.inFlight) return takeOver(deps, run);', leave: '' },
  {
    file: 'shared/redis/scripts/start.lua',
    take: "if record[4] and record[4] ~= '' then return {-1} end\n",
    leave: '',
  },
];

export const REPAIRS: Repair[] = [
  {
    window: "accept's script, before the queue entry",
    edits: [noOrphanSweep],
    test: ACCEPT,
    named: 'after the record, before its engine job',
  },
  {
    window: 'accept, before the bell',
    edits: [
      // The orphan sweep would ring, too.
      noOrphanSweep,
      {
        file: 'worker/sweep/start-sweeps.ts',
        take: "    ['attach', sweepMs, deps.attachDue],\n",
        leave: '',
      },
    ],
    test: ACCEPT,
    named: 'after the engine job, before the bell',
  },
  {
    window: 'accept, before the 202',
    edits: [
      {
        file: 'shared/redis/scripts/accept.lua',
        take: 'if fingerprint == ARGV[4] then return {0, job} end\n    return {-422, job}',
        leave: '',
      },
    ],
    test: ACCEPT,
    named: 'after the engine job, before the 202',
  },
  {
    window: 'accept, its reply lost on the way',
    edits: [
      {
        file: 'shared/redis/scripts/accept.lua',
        take: "if redis.call('EXISTS', KEYS[3]) == 1 then return {0, ARGV[2]} end\n",
        leave: '',
      },
    ],
    test: ACCEPT,
    named: 'an accept that the connection sends twice',
  },
  {
    window: 'gate passed',
    edits: [
      {
        file: 'shared/redis/scripts/gate-enter.lua',
        take: "if inFlight >= atOnce then inFlight = inFlight - redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now) end\n",
        leave: '',
      },
    ],
    test: WRITE,
    named: 'the lease of the dead worker',
  },
  {
    window: 'the engine fails the job, or its queue is lost',
    edits: [noOrphanSweep],
    test: WRITE,
    named: 'and its queue is lost, too',
  },
  {
    window: 'start, before the call',
    edits: sendsBlindly,
    test: WRITE,
    named: 'the second worker looks first',
  },
  {
    window: 'the call, before its answer',
    edits: sendsBlindly,
    test: WRITE,
    named: 'with every provider and by every means',
  },
  {
    window: "finish, before the engine's ack",
    edits: [
      { file: PROCESSOR, take: 'if (isSettled(job.status)) return throughWith(deps, job);', leave: '' },
      {
        file: PROCESSOR,
        take: 'if (job.written) return completeWrite',
        leave: 'if (!job) return completeWrite',
      },
      {
        file: 'shared/redis/scripts/start.lua',
        take: "if status ~= 'queued' and status ~= 'waiting' and status ~= 'running' then return {0, status} end\n",
        leave: '',
      },
    ],
    test: WRITE,
    named: 'before the ack of the engine',
  },
  {
    window: 'finish, before the job leaves its twins',
    edits: [
      // The worker that goes on leaves them once more.
      {
        file: 'worker/write-opportunity/complete.ts',
        take: "moved.kind === 'moved' && !run.marker",
        leave: "moved.kind === 'moved' && move.to === 'running' && !run.marker",
      },
      {
        file: 'shared/stores/unknown-store.ts',
        take: 'return status === undefined || isClosed(status);',
        leave: 'return status === undefined && isClosed !== undefined;',
      },
    ],
    test: WRITE,
    named: 'before it left its twins',
  },
  {
    window: 'finish, before the fan-out of its event',
    edits: [
      {
        file: 'worker/sweep/fan-out-events.ts',
        take: 'await Promise.all(refs.slice(i, i + 50).map(deps.fanOut));',
        leave: 'void i;',
      },
    ],
    test: WRITE,
    named: 'before the ack of the engine',
  },
  {
    window: 'Redis is restored from a backup',
    edits: [{ file: PROCESSOR, take: 'if (doubted) return doubted;', leave: '' }],
    test: 'test/e2e/crash-windows-restore.test.ts',
    named: 'RESTORED=true',
  },
  {
    window: 'a worker frozen between start and its call',
    edits: [
      {
        file: 'worker/write-opportunity/attempt.ts',
        take: "if (!inFlight || deps.clock.nowMs() > inFlight.sendBeforeMs) return 'the time to send had passed';",
        leave: '',
      },
      {
        file: 'worker/write-opportunity/attempt.ts',
        take: "if (run.signal.aborted) return 'the lock was lost before the request left';",
        leave: '',
      },
      // Where the lost lock is noticed before the call begins, this alone would do.
      {
        file: 'shared/providers/send.ts',
        take: "    if (signal?.aborted) {\n      this.#onAbort();\n      return;\n    }\n    signal?.addEventListener('abort', this.#onAbort, { once: true });\n",
        leave: '',
      },
    ],
    test: 'test/e2e/redis-trouble.test.ts',
    named: 'does not send on thaw',
  },
  {
    window: "a row's job is made, before it is queued",
    edits: [noOrphanSweep],
    test: IMPORT,
    named: 'the worker dies when rows became jobs that are not queued yet',
  },
  {
    window: "a batch's answer, before its results",
    edits: [
      // A row that is sent again is sent with another key.
      {
        file: 'worker/run-import/batch-rows.ts',
        take: 'key: rowJobId(run.record.id, stored.row)',
        leave: 'key: crypto.randomUUID()',
      },
    ],
    test: IMPORT,
    named: 'the worker dies when it has its answer and stored none of it',
  },
];
