import { describe, expect, it } from 'vitest';
import { CreateOptions, toJobOptions } from '../../shared/contract/create-query.ts';
import { type AccountHold, JobView, viewJob } from '../../shared/contract/job-view.ts';
import { decodeJob } from '../../shared/stores/job-codec.ts';

const ID = '0190a5e4-0000-7000-8000-000000000003';
const NOW = Date.UTC(2026, 2, 1);

/** A record as it rests, with `fields` of its hash over the least there is. */
function aJob(fields: Record<string, string> = {}) {
  return decodeJob(ID, {
    v: '1',
    account: 'a',
    provider: 'close',
    status: 'queued',
    seq: '1',
    gen: '1',
    created: String(NOW),
    updated: String(NOW),
    ...fields,
  });
}

const view = (fields: Record<string, string>, hold?: AccountHold) => viewJob(aJob(fields), hold, NOW);

describe('what a job shows', () => {
  it.each(['queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'needs_review'])(
    'when it is %s is of the published form',
    (status) => {
      expect(JobView.parse(view({ status }))).toMatchObject({ id: ID, object: 'job', marker: ID, status });
    },
  );

  it('before it has begun is that it waits for its account, with the reason', () => {
    const waits = (wait_reason: string, next: string | null = null) => ({
      status: 'waiting',
      wait_reason,
      next_attempt_at: next,
    });
    expect(view({}, { status: 'paused' })).toMatchObject(waits('account_paused'));
    expect(view({}, { status: 'needs_reauth' })).toMatchObject(waits('account_needs_reauth'));
    expect(view({}, { status: 'active', blockedUntilMs: NOW + 5_000 })).toMatchObject(
      waits('rate_limited', '2026-03-01T00:00:05.000Z'),
    );
    expect(view({}, { status: 'active', blockedUntilMs: NOW + 5_000, isDown: true })).toMatchObject({
      status: 'waiting',
      wait_reason: 'retry_backoff',
    });
    expect(view({}, { status: 'active', blockedUntilMs: NOW - 1 })).toMatchObject({
      status: 'queued',
      wait_reason: null,
    });
  });

  it('of a running or ended job does not change with its account', () => {
    for (const status of ['running', 'succeeded', 'failed'])
      expect(view({ status }, { status: 'paused' })).toMatchObject({ status, wait_reason: null });
  });

  it('is its result only when it succeeded, and its error only when it did not', () => {
    const fields = { result: '{"id":"1"}', error: '{"code":"x"}' };
    expect(view({ ...fields, status: 'succeeded' })).toMatchObject({ result: { id: '1' }, error: null });
    expect(view({ ...fields, status: 'failed' })).toMatchObject({ result: null, error: { code: 'x' } });
    expect(view({ ...fields, status: 'waiting' })).toMatchObject({ result: null, error: null });
    // Its follow-ups are repeated: the record is there meanwhile.
    const written = '{"remoteId":"1","answer":{},"by":"succeeded"}';
    expect(view({ ...fields, written, status: 'waiting' })).toMatchObject({
      result: { id: '1' },
      error: null,
    });
  });

  it('of its options is what a retry takes as it is', () => {
    const query = {
      response_format: 'raw',
      ignore_remote_data: true,
      exclude_fields: ['id'],
      remote_query: { foo: { bar: 'baz' } },
      on_unsupported: 'reject',
    } as const;
    const shown = view({ request: JSON.stringify({ query, body: {} }) }).request.query;
    expect(toJobOptions(CreateOptions.parse(shown))).toEqual(query);
  });

  it('of an error names the request that made the job', () => {
    const fields = { status: 'failed', error: '{"code":"x"}' };
    expect(view({ ...fields, req: 'request-1' }).error).toEqual({
      code: 'x',
      request_id: 'request-1',
      job_id: ID,
    });
    // One of before there was such a thing.
    expect(view(fields).error).toEqual({ code: 'x', request_id: '', job_id: ID });
  });

  it('of an attempt without an end is that it has none', () => {
    const shown = view({ n: '1', a1: JSON.stringify({ number: 1, startedAtMs: NOW }) });
    expect(shown.attempts).toEqual([
      {
        number: 1,
        started_at: '2026-03-01T00:00:00.000Z',
        finished_at: null,
        duration_ms: null,
        outcome: null,
        http_status: null,
        code: null,
        message: null,
      },
    ]);
  });
});
