import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { ConnectBody } from '../../shared/contract/account-schemas.ts';
import { queryInteger, queryList } from '../../shared/contract/query-types.ts';
import { check } from '../../shared/contract/validation-failures.ts';

const failuresOf = (schema: z.ZodType, value: unknown) => {
  const checked = check(schema, value);
  return checked.ok ? [] : checked.failures.map(({ pointer, code, message }) => [pointer, code, message]);
};

it('names what is known where a key is not, in the member of a union that the value names', () => {
  const close = { provider: 'close', credentials: { type: 'api_key', api_key: 'k' } };
  expect(failuresOf(ConnectBody, { ...close, zzz: 1 })).toEqual([
    ['/zzz', 'unknown_field', '"zzz" is not known; known are provider, id, name, credentials, settings'],
  ]);
  expect(failuresOf(ConnectBody, { ...close, credentials: { ...close.credentials, zzz: 1 } })).toEqual([
    ['/credentials/zzz', 'unknown_field', '"zzz" is not known; known are type, api_key, base_url'],
  ]);
  expect(failuresOf(ConnectBody, { ...close, settings: { retry: { tries: 1 } } })).toEqual([
    [
      '/settings/retry/tries',
      'unknown_field',
      '"tries" is not known; known are max_attempts, deadline_seconds',
    ],
  ]);
  expect(failuresOf(ConnectBody, { ...close, provider: 'pipedrive' })).toEqual([
    ['/provider', 'invalid_value', 'must be one of salesforce, close, capsule'],
  ]);
});

it('says so where nothing is known', () => {
  expect(failuresOf(z.strictObject({}), { limit: 1 })).toEqual([
    ['/limit', 'unknown_field', '"limit" is not known; there are none here'],
  ]);
});

it('tells a wrong value of a query from one that is missing', () => {
  const query = z.strictObject({
    status: queryList(z.enum(['queued', 'running']), 5, 'Statuses.').optional(),
    wait: queryInteger(0, 60, 'Seconds.'),
  });
  expect(failuresOf(query, { status: 'foo', wait: 'abc' })).toEqual([
    ['/status/0', 'invalid_value', 'must be one of queued, running'],
    ['/wait', 'invalid_value', 'must be a whole number from 0 to 60'],
  ]);
  expect(failuresOf(query, { wait: '-1' })).toEqual([
    ['/wait', 'invalid_value', 'must be a whole number from 0 to 60'],
  ]);
  expect(failuresOf(query, {})).toEqual([['/wait', 'missing', 'is required']]);
});

it('refuses what is no private key when it is submitted, and takes one in either form', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8') => String(key.export({ type, format: 'pem' }));
  const withKey = (private_key: string) => ({
    provider: 'salesforce',
    credentials: {
      type: 'jwt_bearer',
      login_url: 'https://login.salesforce.com',
      client_id: 'c',
      username: 'u',
      private_key,
    },
  });
  for (const key of [pem(privateKey, 'pkcs8'), pem(privateKey, 'pkcs1').replaceAll('\n', '\\n')])
    expect(failuresOf(ConnectBody, withKey(key))).toEqual([]);
  const message = 'must be an unencrypted RSA private key in PEM (PKCS#8 or PKCS#1)';
  for (const key of ['no key', pem(ec, 'pkcs8')])
    expect(failuresOf(ConnectBody, withKey(key))).toEqual([
      ['/credentials/private_key', 'invalid_value', message],
    ]);
});
