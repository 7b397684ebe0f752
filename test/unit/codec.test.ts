import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobRecord } from '../../shared/domain/job.ts';
import {
  decodeJob,
  encodeNewJob,
  encodePatch,
  type JobPatch,
  UnreadableRecord,
} from '../../shared/stores/job-codec.ts';

const ID = '0190a5e4-0000-7000-8000-000000000003';

function aRecord(overrides: Partial<JobRecord> = {}): JobRecord {
  return {
    id: ID,
    schemaVersion: 1,
    workspace: 'default',
    account: 'a',
    provider: 'close',
    status: 'queued',
    sequence: 1,
    generation: 1,
    createdAtMs: 1_000,
    updatedAtMs: 1_000,
    request: { query: { response_format: 'unified' }, body: {} },
    appliedDefaults: {},
    warnings: [],
    attempts: [],
    attemptNumber: 0,
    attemptsSpent: 0,
    limitHits: 0,
    heldBaseMs: 0,
    unknownSends: [],
    epoch: 0,
    probes: 0,
    followUps: {},
    candidates: [],
    corrections: 0,
    faults: 0,
    ...overrides,
  };
}

function toHash(pairs: string[]): Record<string, string> {
  const hash: Record<string, string> = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) hash[pairs[i] ?? ''] = pairs[i + 1] ?? '';
  return hash;
}

const decodePatched = (patch: JobPatch, before: Record<string, string> = {}) =>
  decodeJob(ID, { ...toHash(encodeNewJob(aRecord())), ...before, ...toHash(encodePatch(patch)) });

describe('a job record', () => {
  it('reads back as it was written, whatever the caller sent', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.string({ minLength: 1 }),
        (body, idempotencyKey) => {
          const record = aRecord({
            // JSON has no negative zero.
            request: { query: { response_format: 'raw' }, body: JSON.parse(JSON.stringify(body)) },
            idempotencyKey,
            idempotencyHash: 'h',
          });
          expect(decodeJob(ID, toHash(encodeNewJob(record)))).toEqual(record);
        },
      ),
    );
  });

  it('keeps a result of any shape, and takes it back', () => {
    for (const result of [{ a: null }, [], 'text', 0, false])
      expect(decodePatched({ result }).result).toEqual(result);
    expect(decodePatched({ result: undefined }, { result: '{"a":1}' }).result).toBeUndefined();
  });

  it('what a patch leaves out stays; what it gives as nothing is cleared', () => {
    const before = {
      error: '{"code":"x"}',
      written: '{"remoteId":"r"}',
      sending: '{"attempt":1}',
      next_at: '5',
      wait_reason: 'rate_limited',
      first_at: '7',
    };
    const kept = decodePatched({ probes: 1 }, before);
    expect(kept).toMatchObject({ nextAttemptAtMs: 5, waitReason: 'rate_limited', firstAttemptAtMs: 7 });
    expect(kept.inFlight).toBeDefined();
    const cleared = decodePatched(
      {
        error: undefined,
        written: undefined,
        inFlight: null,
        nextAttemptAtMs: null,
        waitReason: null,
        firstAttemptAtMs: null,
      },
      before,
    );
    for (const field of ['error', 'written', 'inFlight', 'nextAttemptAtMs', 'waitReason', 'firstAttemptAtMs'])
      expect(cleared[field as keyof JobRecord], field).toBeUndefined();
  });

  it('every field a patch may set is read back', () => {
    const patch = {
      request: { query: { response_format: 'raw' as const }, body: { a: 1 } },
      appliedDefaults: { b: 2 },
      warnings: [{ code: 'name_changed' as const, message: 'm' }],
      attemptsSpent: 3,
      limitHits: 4,
      unknownSends: [{ attempt: 1, sentAtProviderMs: 2, verdictAtMs: 3 }],
      probes: 5,
      epoch: 6,
      fingerprint: 'fp',
      written: { remoteId: 'r', answer: { id: 'r' }, by: 'succeeded' as const },
      followUps: { x: 'done' },
      candidates: [{ remote_id: 'r', url: 'u', why: 'w' }],
      corrections: 7,
      faults: 8,
      result: { ok: true },
      error: { statusCode: 400, error: 'e', message: 'm', code: 'c', retryable: false },
      importId: 'i',
    };
    expect(decodePatched(patch)).toMatchObject(patch);
  });

  it('of a newer schema is refused with a word on what to do; an older one is read', () => {
    const hash = toHash(encodeNewJob(aRecord()));
    expect(() => decodeJob(ID, { ...hash, v: '2' })).toThrow(UnreadableRecord);
    expect(() => decodeJob(ID, { ...hash, v: '2' })).toThrow(/Update/);
    expect(() => decodeJob(ID, { ...hash, v: '' })).not.toThrow(TypeError);
    expect(decodeJob(ID, { ...hash, v: '0' }).status).toBe('queued');
    expect(() => decodeJob(ID, { ...hash, status: 'paused' })).toThrow(UnreadableRecord);
  });
});

describe('text beyond Latin-1 in a patch', () => {
  const resultOf = (text: string) => encodePatch({ result: { text } })[1] ?? '';

  it.each([
    ['a euro sign', '€1,856.50'],
    ['an emoji, of two units', 'Annual License 🎉'],
    ['twenty characters', '契'.repeat(20)],
  ])('is escaped when there is little of it: %s', (_, text) => {
    expect(resultOf(text)).toMatch(/^[\0-\xff]*$/);
    expect(JSON.parse(resultOf(text))).toEqual({ text });
  });

  it('is left as it is when there is much of it', () => {
    const text = '契'.repeat(21);
    expect(resultOf(text)).toBe(JSON.stringify({ text }));
  });
});
