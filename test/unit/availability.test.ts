import { expect, it } from 'vitest';
import { availabilityOf } from '../../shared/providers/availability.ts';
import { descriptors } from '../../shared/providers/descriptors.ts';
import type { AnsweredCall, CallPurpose, CallResult } from '../../shared/providers/port.ts';

const answer = (status: number, body: unknown = undefined, headers = {}): AnsweredCall => ({
  kind: 'answered',
  status,
  headers,
  body,
  receivedAtMs: 0,
});

function judge(provider: keyof typeof descriptors, call: AnsweredCall, purpose: CallPurpose = 'create') {
  const request = { method: purpose === 'create' ? 'POST' : 'GET', path: '/', purpose } as const;
  return availabilityOf(call, descriptors[provider].classify(call, request));
}

const failed = (kind: 'not_sent' | 'unanswered', code: string): CallResult => ({ kind, code, message: '' });

it.each([
  [failed('not_sent', 'provider_unreachable'), 'down'],
  [failed('unanswered', 'provider_no_answer'), 'down'],
  [failed('not_sent', 'fenced'), undefined],
  [failed('not_sent', 'url_not_allowed'), undefined],
  [failed('unanswered', 'aborted'), undefined],
  [failed('unanswered', 'provider_bad_answer'), undefined],
  [{ kind: 'deferred', untilMs: 1, reason: 'rate_limited' } satisfies CallResult, undefined],
  [{ kind: 'needs_reauth', message: '' } satisfies CallResult, undefined],
] as const)('a call that ended as %o says %s', (result, expected) => {
  expect(availabilityOf(result)).toBe(expected);
});

for (const provider of ['salesforce', 'close', 'capsule'] as const) {
  for (const purpose of ['create', 'probe', 'look_up'] as const) {
    it(`a ${purpose} that ${provider} answers with a server error found it down`, () => {
      for (const status of [500, 502, 503, 504])
        expect(judge(provider, answer(status), purpose), String(status)).toBe('down');
    });
  }

  it(`whatever ${provider} refuses shows that it is there`, () => {
    for (const { sample, outcome, outage } of descriptors[provider].failureTable) {
      if (outage || sample.status >= 500) continue;
      const judged = judge(provider, answer(sample.status, sample.body, sample.headers));
      expect(judged, `${sample.status} ${outcome}`).toBe('up');
    }
  });
}

it('a lock on a row of Salesforce is no outage, even as a server error', () => {
  expect(judge('salesforce', answer(500, [{ errorCode: 'UNABLE_TO_LOCK_ROW', message: 'locked' }]))).toBe(
    'up',
  );
});

it.each(['API_CURRENTLY_DISABLED', 'INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE'])(
  'Salesforce that says %s serves nobody',
  (errorCode) => {
    expect(judge('salesforce', answer(403, [{ errorCode, message: 'closed' }]))).toBe('down');
  },
);

it('a trigger that runs out of queries is the matter of that request', () => {
  const body = [
    { errorCode: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', message: 'Too many SOQL queries: 101', fields: [] },
  ];
  expect(judge('salesforce', answer(400, body))).toBe('up');
});
