import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createLogger, linesWith } from '../../shared/logger.ts';

/** What a logger writes, line by line. */
function aLog(level: string) {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { lines, logger: createLogger('test', level, destination) };
}

it('lines with the same fields say them each, with their own, and no secret of either', () => {
  const { lines, logger } = aLog('info');
  const run = linesWith(logger, { job_id: 'j', access_token: 'secret' });
  run.info({ attempt: 1 }, 'attempt.finished');
  run.warn({ credentials: { api_key: 'secret' } }, 'job.waiting');
  run.error({ job_id: 'other' }, 'job.second_record');
  expect(lines).toMatchObject([
    { level: 30, job_id: 'j', attempt: 1, msg: 'attempt.finished' },
    { level: 40, job_id: 'j', msg: 'job.waiting' },
    { level: 50, job_id: 'other', msg: 'job.second_record' },
  ]);
  expect(JSON.stringify(lines)).not.toContain('"secret"');
});

it('nothing is written below the level', () => {
  const { lines, logger } = aLog('warn');
  linesWith(logger, { job_id: 'j' }).info({}, 'attempt.finished');
  expect(lines).toEqual([]);
});
