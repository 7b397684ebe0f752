import { createConnection } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { type Call, MINIMUM, startTestApi, unknownId } from './api-support.ts';

type Case = [what: string, call: Call & { query?: string }, status: number, code: string, pointer?: string];

const ok = MINIMUM.close;
const body = (field: Record<string, unknown>): Call => ({ body: { ...ok, ...field } });
const raw = (field: string): Call => ({ raw: `{"account":{"id":"a"},"owner":{"id":"b"},${field}}` });
const query = (text: string) => ({ body: ok, query: `&${text}` });
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const CASES: Case[] = [
  ['no body', {}, 400, 'invalid_json'],
  ['an empty body', { raw: '  ' }, 400, 'invalid_json'],
  ['broken JSON', { raw: '{"name":' }, 400, 'invalid_json'],
  ['JSON with NaN', { raw: '{"amount":NaN}' }, 400, 'invalid_json'],
  ['no UTF-8', { raw: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]) }, 400, 'invalid_json'],
  ['an array', { body: [ok] }, 400, 'invalid_body', ''],
  ['a string', { body: 'x' }, 400, 'invalid_body', ''],
  ['null', { raw: 'null' }, 400, 'invalid_body', ''],
  ['a number', { raw: '1' }, 400, 'invalid_body', ''],
  [
    'another type',
    { raw: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'unsupported_media_type',
  ],
  [
    'another charset',
    { body: ok, headers: { 'content-type': 'application/json; charset=latin1' } },
    415,
    'unsupported_media_type',
  ],
  [
    'an unknown encoding',
    { body: ok, headers: { 'content-encoding': 'zstd9' } },
    415,
    'unsupported_media_type',
  ],
  ['2 MB', { raw: `{"description":"${'x'.repeat(2_000_000)}"}` }, 413, 'body_too_large'],
  [
    '2 MB behind gzip',
    {
      raw: new Uint8Array(gzipSync(`{"description":"${'x'.repeat(2_000_000)}"}`)),
      headers: { 'content-encoding': 'gzip' },
    },
    413,
    'body_too_large',
  ],
  ['500,000 brackets', { raw: '['.repeat(500_000) + ']'.repeat(500_000) }, 400, 'invalid_body'],
  ['deep remote_data', raw(`"remote_data":${deep(25)}`), 400, 'invalid_body', '/remote_data/a'],
  ['very deep remote_data', raw(`"remote_data":${deep(5_000)}`), 400, 'invalid_body'],
  ['__proto__', raw('"__proto__":{"x":1}'), 400, 'invalid_body', '/__proto__'],
  ['__proto__ in escapes', raw('"\\u005f_proto__":{"x":1}'), 400, 'invalid_body', '/__proto__'],
  ['constructor', raw('"constructor":{"x":1}'), 400, 'invalid_body', '/constructor'],
  [
    '__proto__ in remote_data',
    raw('"remote_data":{"a":{"__proto__":1}}'),
    400,
    'invalid_body',
    '/remote_data/a/__proto__',
  ],
  [
    'prototype in custom_fields',
    body({ custom_fields: { a: { prototype: 1 } } }),
    400,
    'invalid_body',
    '/custom_fields/a',
  ],
  ['a name that is a number', body({ name: 1 }), 400, 'invalid_body', '/name'],
  ['a name that is null', body({ name: null }), 400, 'invalid_body', '/name'],
  ['an empty name', body({ name: '' }), 400, 'invalid_body', '/name'],
  ['an account that is text', body({ account: 'a' }), 400, 'invalid_body', '/account'],
  ['an account without id', body({ account: {} }), 400, 'invalid_body', '/account/id'],
  ['an account with more', body({ account: { id: 'a', name: 'b' } }), 400, 'invalid_body', '/account/name'],
  ['an owner id that is a number', body({ owner: { id: 5 } }), 400, 'invalid_body', '/owner/id'],
  ['an amount that is text', body({ amount: '5' }), 400, 'invalid_body', '/amount'],
  ['a negative amount', body({ amount: -1 }), 400, 'invalid_body', '/amount'],
  ['1e308', body({ amount: 1e308 }), 400, 'invalid_body', '/amount'],
  ['1e999', raw('"amount":1e999'), 400, 'invalid_body', '/amount'],
  ['16 digits', raw('"amount":1234567890.123456'), 400, 'invalid_body', '/amount'],
  ['20 digits after the point', raw('"amount":0.12345678901234567890'), 400, 'invalid_body', '/amount'],
  [
    'an inexact custom field',
    raw('"custom_fields":{"n":12345678901234567890}'),
    400,
    'invalid_body',
    '/custom_fields/n',
  ],
  ['30 February', body({ close_date: '2026-02-30' }), 400, 'invalid_body', '/close_date'],
  ['25 o’clock', body({ close_date: '2026-02-03T25:00:00Z' }), 400, 'invalid_body', '/close_date'],
  ['a time without offset', body({ created_at: '2026-02-03T05:00:00' }), 400, 'invalid_body', '/created_at'],
  ['a date that is a number', body({ close_date: 1 }), 400, 'invalid_body', '/close_date'],
  ['custom_fields as list', body({ custom_fields: [] }), 400, 'invalid_body', '/custom_fields'],
  ['description as object', body({ description: {} }), 400, 'invalid_body', '/description'],
  ['a lone surrogate', raw('"name":"\\ud800"'), 400, 'invalid_body', '/name'],
  ['a NUL', body({ name: 'a\u0000b' }), 400, 'invalid_body', '/name'],
  ['contact as object', body({ contact: { id: 'a' } }), 400, 'invalid_body', '/contact'],
  ['a contact that is text', body({ contact: [{ id: 'a' }, 'b'] }), 400, 'invalid_body', '/contact/1'],
  [
    '10,000 contacts',
    body({ contact: Array.from({ length: 10_000 }, (_, i) => ({ id: `${i}` })) }),
    400,
    'invalid_body',
    '/contact',
  ],
  ['stage as text', body({ stage: 'Won' }), 400, 'invalid_body', '/stage'],
  ['a currency in words', body({ currency: 'euro' }), 400, 'invalid_body', '/currency'],
  ['tags as text', body({ tags: 'a' }), 400, 'invalid_body', '/tags'],
  ['remote_data as text', body({ remote_data: 'x' }), 400, 'invalid_body', '/remote_data'],
  [
    'an unknown parameter',
    query('truto_response_fromat=raw'),
    400,
    'invalid_query',
    '/truto_response_fromat',
  ],
  ['a parameter given twice', query('dry_run=true&dry_run=true'), 400, 'invalid_query', '/dry_run'],
  [
    'a nested one given twice',
    query('remote_query[a]=1&remote_query[a]=2'),
    400,
    'invalid_query',
    '/remote_query/a',
  ],
  [
    'an unknown format',
    query('truto_response_format=stream'),
    400,
    'invalid_query',
    '/truto_response_format',
  ],
  [
    'a boolean that is none',
    query('truto_ignore_remote_data=yes'),
    400,
    'invalid_query',
    '/truto_ignore_remote_data',
  ],
  ['remote_query as text', query('remote_query=x'), 400, 'invalid_query', '/remote_query'],
  [
    '__proto__ in the query',
    query('remote_query[__proto__][x]=1'),
    400,
    'invalid_query',
    '/remote_query/__proto__/x',
  ],
  ['a deep query', query(`remote_query${'[a]'.repeat(20)}=1`), 400, 'invalid_query'],
  ['a broken percent-encoding', query('on_unsupported=%E0%A4%A'), 400, 'invalid_query'],
  ['a callback that is no URL', query('callback_url=foo'), 400, 'invalid_query', '/callback_url'],
  [
    'a plain callback',
    query('callback_url=http%3A%2F%2Fexample.com'),
    400,
    'url_not_allowed',
    '/callback_url',
  ],
];

describe('a create that is wrong', () => {
  it.each(CASES)('%s', async (_what, { query: more = '', ...call }, status, code, pointer) => {
    const { api, account } = await one();
    const reply = await api.create(account.id, undefined, {
      ...call,
      query: more,
      ...(call.body === undefined ? {} : { body: undefined, raw: JSON.stringify(call.body) }),
    });
    expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([status, code]);
    if (pointer !== undefined) {
      const pointers = reply.body.details.failures.map((failure: { pointer: string }) => failure.pointer);
      expect(pointers).toContain(pointer);
    }
    expect(JSON.stringify(reply.body)).not.toMatch(/node_modules|\bat \w+ \(/);
    expect((await api.call('/jobs')).body.data).toEqual([]);
  });

  it('names the nearest field, and what a provider’s own name is called here', async () => {
    const { api, account } = await one();
    const { body: answer } = await api.create(account.id, {
      acount: 1,
      contacts: 1,
      StageName: 1,
      lead_id: 1,
      milestone: 1,
      zzz: 1,
    });
    const said = Object.fromEntries(
      answer.details.failures.map((f: { pointer: string; message: string }) => [f.pointer, f.message]),
    );
    expect(said['/acount']).toContain('"account"');
    expect(said['/contacts']).toContain('"contact"');
    for (const [key, unified] of [
      ['/StageName', 'stage.name'],
      ['/lead_id', 'account.id'],
      ['/milestone', 'stage.name'],
    ] as const) {
      expect(said[key]).toContain(unified);
      expect(said[key]).toContain('remote_data');
    }
    expect(said['/zzz']).toContain('remote_data');
    expect(Object.keys(said)).toHaveLength(6);
  });

  it('takes what looks odd and is right', async () => {
    const { api, account } = await one();
    const fine: Call[] = [
      raw('"amount":100000000000000.00000'),
      raw('"amount":123456789012.345'),
      raw('"amount":0'),
      body({ name: 'Ünï 💶', contact: [], remote_data: { a: { b: [1, null] } } }),
      { raw: new Uint8Array(gzipSync(JSON.stringify(ok))), headers: { 'content-encoding': 'gzip' } },
      { body: ok, headers: { 'content-type': 'application/json; charset="UTF-8"' } },
      { raw: `\ufeff${JSON.stringify(ok)}` },
    ];
    for (const call of fine) {
      const reply = await api.create(account.id, call.body, call);
      expect(reply.status, JSON.stringify(reply.body)).toBe(202);
    }
    const syntax =
      '&truto_exclude_fields[]=id&truto_exclude_fields[]=owner.id,name&remote_query[foo][bar]=baz&remote_query[a.b]=1&truto_ignore_remote_data=1';
    const reply = await api.create(account.id, ok, { query: syntax });
    expect(reply.body.request.query).toEqual({
      truto_response_format: 'unified',
      truto_ignore_remote_data: true,
      truto_exclude_fields: ['id', 'owner.id', 'name'],
      remote_query: { foo: { bar: 'baz' }, 'a.b': '1' },
    });
  });
});

describe('a request that may not be made', () => {
  it('needs a token that is known, not over, and has the scope', async () => {
    const { api, account } = await one();
    const token = async (more: Record<string, unknown>) => {
      const reply = await api.call('/api-tokens', {
        method: 'POST',
        body: { workspace: 'default', scopes: ['jobs:read'], ...more },
      });
      expect(reply.status, JSON.stringify(reply.body)).toBe(201);
      return reply.body.token;
    };
    expect((await api.create(account.id, ok, { token: null })).status).toBe(401);
    expect((await api.create(account.id, ok, { token: 'nobody-knows-this-token' })).status).toBe(401);
    expect((await api.create(account.id, ok, { token: await token({}) })).body.code).toBe(
      'insufficient_scope',
    );
    const own = await token({ scopes: ['opportunities:write'] });
    expect((await api.create(account.id, ok, { token: own })).status).toBe(202);
    expect((await api.call('/jobs', { token: own })).status).toBe(403);
    const foreign = await token({ workspace: 'other', scopes: ['opportunities:write'] });
    expect((await api.create(account.id, ok, { token: foreign })).status).toBe(404);
    expect((await api.create(unknownId(), ok)).status).toBe(404);
  });

  it('finds no route, or no such method', async () => {
    const { api } = await one();
    expect((await api.call('/nowhere', { token: null })).body.code).toBe('route_not_found');
    const wrong = await api.call('/unified/crm/opportunities', { method: 'PUT' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await api.call('/jobs', { method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD');
    expect((await api.call('/jobs/%E0%A4%A')).status).toBe(404);
    expect((await api.call('/jobs/not-a-uuid')).status).toBe(404);
  });

  it('keeps a sane request id and replaces another', async () => {
    const { api } = await one();
    const id = async (given: string) =>
      (await api.call('/healthz', { headers: { 'x-request-id': given } })).headers.get('x-request-id');
    expect(await id('abc-123')).toBe('abc-123');
    expect(await id('a b"c')).not.toBe('a b"c');
    expect(await id('x'.repeat(500))).toHaveLength(36);
  });

  it.each([
    ['is no HTTP', 'hello\r\n\r\n', 'The request is not valid HTTP.'],
    ['names no host', 'GET /healthz HTTP/1.1\r\n\r\n', 'must have a Host header'],
    ['has more headers than are read', `GET /healthz HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '16 KiB'],
    [
      'has a body in broken pieces',
      'POST /jobs/retry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Request-Id: mine\r\n\r\nzz\r\n',
      'The request is not valid HTTP.',
    ],
  ])('answers what %s in the one shape, with a request id', async (_, text, sentence) => {
    const { api } = await one();
    const socket = createConnection(Number(new URL(api.url).port), '127.0.0.1');
    socket.write(text);
    const answer = (await buffer(socket)).toString();
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    const error = JSON.parse(body);
    expect(error).toMatchObject({ statusCode: 400, code: 'invalid_header', retryable: false });
    expect(error.message).toContain(sentence);
    expect(/^x-request-id: (.+)$/im.exec(head)?.[1]).toBe(error.request_id);
    if (text.includes('mine')) expect(error.request_id).toBe('mine');
  });

  it('answers a client that expects what nobody knows as any other', async () => {
    const { api } = await one();
    const socket = createConnection(Number(new URL(api.url).port), '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: foo\r\nConnection: close\r\n\r\n');
    expect((await buffer(socket)).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*x-request-id: /i);
  });

  it('answers the create that came before it on the same connection, and nothing else', async () => {
    const { api, account } = await one();
    const socket = createConnection(Number(new URL(api.url).port), '127.0.0.1');
    const body = JSON.stringify({ ...MINIMUM.close });
    socket.write(
      [
        `POST /unified/crm/opportunities?integrated_account_id=${account.id} HTTP/1.1`,
        'Host: x',
        'Authorization: Bearer test-admin-token-0123456789',
        'Content-Type: application/json',
        'Prefer: wait=1',
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    );
    await until('it is accepted', async () => {
      const { data } = (await api.call(`/jobs?integrated_account_id=${account.id}`)).body;
      return data.length === 1;
    });
    socket.write('no HTTP\r\n\r\n');
    const answer = (await buffer(socket)).toString();
    expect(answer).toMatch(/^HTTP\/1\.1 202 Accepted\r\n/);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('survives a body that ends early', async () => {
    const { api, account } = await one();
    const { port } = new URL(api.url);
    const socket = createConnection(Number(port), '127.0.0.1');
    socket.end(
      `POST /unified/crm/opportunities?integrated_account_id=${account.id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-admin-token-0123456789\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"name"`,
    );
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect((await api.call('/healthz')).status).toBe(200);
  });
});

type One = { api: Awaited<ReturnType<typeof startTestApi>>; account: { id: string } };

async function one(): Promise<One> {
  const api = await startTestApi();
  return { api, account: await api.connectAccount('close') };
}

// The first start compiles schemas and scripts; it must not eat one case's time.
beforeAll(() => import('../../api/build-api.ts'));
