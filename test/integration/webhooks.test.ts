import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeliveryView, WebhookEndpointView } from '../../shared/domain/webhook.ts';
import { until } from '../support/until.ts';
import { dumpRedis } from './accounts-client.ts';
import { aWebhookSystem } from './webhooks-support.ts';

let shared: Awaited<ReturnType<typeof aWebhookSystem>>;
beforeAll(async () => {
  shared = await aWebhookSystem();
});
afterAll(() => shared.stop());

describe('webhooks', () => {
  it('are verified by the unmodified standardwebhooks package, during a rotation by both secrets', async () => {
    const system = shared.aWorkspace();
    const inbox = system.anInbox();
    const endpoint = await system.anEndpoint(inbox, { truto_signature: true });
    await inbox.set({ truto_secret: endpoint.secret });
    const account = await system.anAccount();
    const job = await system.create(account);
    const [first] = await inbox.wait(1);
    if (!first) throw new Error('nothing came');
    expect(first).toMatchObject({
      type: 'job.succeeded',
      subject: job.id,
      verified: true,
      truto_verified: true,
    });
    const payload = new Webhook(endpoint.secret).verify(first.body, first.headers);
    const shown = await system.call<{ sequence: number }>('GET', `/jobs/${job.id}`);
    expect(payload).toEqual({
      type: 'job.succeeded',
      timestamp: expect.stringMatching(/Z$/),
      sequence: shown.sequence,
      data: shown,
    });

    const path = `/webhook-endpoints/${endpoint.id}/rotate-secret`;
    const rotated = await system.call<{ secret: string }>('POST', path, {});
    expect(rotated.secret).not.toBe(endpoint.secret);
    await inbox.set({ secrets: [endpoint.secret], truto_secret: rotated.secret });
    const second = await system.create(account);
    const [during] = await inbox.wait(1, ({ subject }) => subject === second.id);
    expect(during?.verified).toBe(true);
    for (const secret of [endpoint.secret, rotated.secret])
      expect(new Webhook(secret).verify(during?.body ?? '', during?.headers ?? {})).toBeTruthy();
    expect(during?.headers['webhook-signature']?.split(' ')).toHaveLength(2);

    await system.call('POST', path, { overlap_seconds: 0 });
    await inbox.set({ secrets: [endpoint.secret, rotated.secret] });
    const third = await system.create(account);
    const [after] = await inbox.wait(1, ({ subject }) => subject === third.id);
    expect(after).toMatchObject({ verified: false, answered: 401 });
  });

  it('go only to those subscribed, and never to another workspace', async () => {
    const system = shared.aWorkspace();
    const [failures, elsewhere, all] = [system.anInbox(), system.anInbox(), system.anInbox()];
    await system.anEndpoint(failures, { events: ['job.failed'] });
    await system.anEndpoint(all);
    const foreign = await system.send(
      'POST',
      '/webhook-endpoints',
      { url: elsewhere.url, events: ['*'] },
      { 'x-workspace': 'other' },
    );
    expect(foreign.status).toBe(201);
    expect((await system.send('GET', `/webhook-endpoints/${foreign.body.id}`)).status).toBe(404);
    await system.create(await system.anAccount());
    await all.wait(1);
    expect(await failures.received()).toEqual([]);
    expect(await elsewhere.received()).toEqual([]);
  });

  it('tell both: a job that failed, and its success after a retry', async () => {
    const system = shared.aWorkspace();
    const inbox = system.anInbox();
    await system.anEndpoint(inbox);
    const account = await system.anAccount();
    await system.control('POST', 'faults', {
      provider: 'close',
      match: { method: 'POST', path: '/api/v1/opportunity/' },
      times: 1,
      kind: 'status',
      status: 400,
      body: { error: 'no' },
    });
    const job = await system.create(account);
    const [failed] = await inbox.wait(1);
    await system.call('POST', `/jobs/${job.id}/retry`, {});
    const both = await inbox.wait(2);
    expect(both.map(({ type }) => type)).toEqual(['job.failed', 'job.succeeded']);
    expect(new Set(both.map(({ id }) => id)).size).toBe(2);
    expect(both[1]?.sequence).toBeGreaterThan(failed?.sequence ?? 99);
    // As it was then, although the job has moved on.
    expect(JSON.parse(failed?.body ?? '{}').data).toMatchObject({ status: 'failed', result: null });
  });

  it('repeat with the same id, timestamps of their own, until 2xx; a redirect is no success', async () => {
    const system = shared.aWorkspace();
    const inbox = system.anInbox();
    const endpoint = await system.anEndpoint(inbox);
    const other = system.anInbox();
    await inbox.set({
      rules: [
        { kind: 'redirect', location: other.url, times: 1 },
        { kind: 'hang', times: 1 },
        { kind: 'status', status: 500, body: '{"token":"leak-me","why":"broken"}', times: 1 },
      ],
    });
    await system.create(await system.anAccount());
    const tries = await inbox.wait(4);
    expect(tries.map(({ answered }) => answered)).toEqual([302, 'hang', 500, 200]);
    expect(new Set(tries.map(({ id }) => id)).size).toBe(1);
    expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
    expect(tries[3]?.timestamp).toBeGreaterThan(tries[0]?.timestamp ?? 0);
    expect(await other.received()).toEqual([]);
    const delivery = await until('delivered', async () => {
      const [one] = await system.deliveries(endpoint.id);
      return one?.status === 'delivered' ? one : undefined;
    });
    expect(delivery.id).toBe(tries[0]?.id);
    expect(delivery.tries.map((one) => one.status_code ?? one.error)).toEqual([
      302,
      'no answer within 1000 ms',
      500,
      200,
    ]);
    expect(delivery.tries[2]?.response_body).toBe('{"token":***,"why":"broken"}');
  });

  it('end at 410: the endpoint is disabled, the others are told, and once enabled it can be replayed', async () => {
    const system = shared.aWorkspace();
    const [gone, watcher] = [system.anInbox(), system.anInbox()];
    const endpoint = await system.anEndpoint(gone, { events: ['job.succeeded'] });
    await system.anEndpoint(watcher, { events: ['webhook_endpoint.disabled'] });
    await gone.set({ rules: [{ kind: 'status', status: 410, times: 1 }] });
    const account = await system.anAccount();
    await system.create(account);
    const [told] = await watcher.wait(1);
    expect(told?.subject).toBe(endpoint.id);
    const path = `/webhook-endpoints/${endpoint.id}`;
    const shown = await system.call<WebhookEndpointView>('GET', path);
    expect(shown).toMatchObject({ status: 'disabled', disabled_reason: 'gone' });
    const missed = await system.create(account);
    await until('the missed one is kept', async () => (await system.deliveries(endpoint.id)).length === 2);
    expect((await system.deliveries(endpoint.id)).map(({ reason }) => reason)).toEqual([
      'endpoint_disabled',
      'endpoint_gone',
    ]);
    expect((await system.send('POST', `${path}/replay`, {})).status).toBe(409);

    expect(await system.call('PATCH', path, { enabled: true })).toMatchObject({ status: 'enabled' });
    const replay = await system.call('POST', `${path}/replay`, { only_failed: true });
    expect(replay).toMatchObject({ queued: 2, skipped: 0, next_since: null });
    await gone.wait(1, ({ subject, answered }) => subject === missed.id && answered === 200);
    await until('all delivered', async () =>
      (await system.deliveries(endpoint.id)).every(({ status }) => status === 'delivered'),
    );
    const ids = (await gone.received()).map(({ id }) => id);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(2);
    const again = await system.call('POST', `${path}/replay`, { only_failed: true });
    expect(again).toMatchObject({ queued: 0, skipped: 2, ends_at: null });
  });

  it('are sent again by hand, with the same id, also those that ran out of tries', async () => {
    const system = shared.aWorkspace();
    const inbox = system.anInbox();
    const endpoint = await system.anEndpoint(inbox);
    await inbox.set({ rules: [{ kind: 'status', status: 500 }] });
    await system.create(await system.anAccount());
    const failed = await until('out of tries', async () => {
      const [one] = await system.deliveries(endpoint.id, '?status=failed');
      return one;
    });
    expect(failed).toMatchObject({ reason: 'attempts_exhausted', try_count: 4 });
    await inbox.set({ rules: [] });
    const again = await system.call<DeliveryView>('POST', `/deliveries/${failed.id}/redeliver`);
    expect(again).toMatchObject({ id: failed.id, status: 'pending', try_count: 4 });
    const all = await inbox.wait(5);
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set([failed.id]));
    await until('delivered', async () => (await system.deliveries(endpoint.id))[0]?.status === 'delivered');
    const foreign = await system.send('POST', `/deliveries/${failed.id}/redeliver`, undefined, {
      'x-workspace': 'other',
    });
    expect(foreign.status).toBe(404);
  });

  it('reach the callback_url of one create, signed by the secret of the workspace', async () => {
    const system = shared.aWorkspace();
    const [callback, endpoint] = [system.anInbox(), system.anInbox()];
    await system.anEndpoint(endpoint);
    const { secret } = await system.call<{ secret: string }>('GET', '/workspace/callback-secret');
    expect(await system.call('GET', '/workspace/callback-secret')).toMatchObject({ secret });
    await callback.set({ secrets: [secret] });
    const account = await system.anAccount();
    const job = await system.create(account, `&callback_url=${encodeURIComponent(callback.url)}`);
    const [came] = await callback.wait(1);
    expect(came).toMatchObject({ subject: job.id, type: 'job.succeeded', verified: true });
    expect(new Webhook(secret).verify(came?.body ?? '', came?.headers ?? {})).toBeTruthy();
    await endpoint.wait(1);
    await system.create(account);
    await endpoint.wait(2);
    expect(await callback.received()).toHaveLength(1);
  });

  it('tell of accounts whose grant was refused, and of those that work again', async () => {
    const system = shared.aWorkspace();
    const inbox = system.anInbox();
    await system.anEndpoint(inbox, {
      events: ['integrated_account.authentication_error', 'integrated_account.reactivated'],
    });
    const account = await system.anAccount();
    const base_url = `${system.sandboxOrigin}/close`;
    const put = (api_key: string) =>
      system.call('PUT', `/integrated-accounts/${account}/credentials`, {
        credentials: { type: 'api_key', api_key, base_url },
      });
    await put('wrong');
    await system.create(account);
    const [refused] = await inbox.wait(1);
    expect(refused?.type).toBe('integrated_account.authentication_error');
    expect(JSON.parse(refused?.body ?? '{}').data).toMatchObject({
      id: account,
      object: 'integrated_account',
      status: 'needs_reauth',
      last_error: { code: 'account_needs_reauth' },
    });
    await put('demo-close-key');
    const [, reactivated] = await inbox.wait(2);
    expect(reactivated).toMatchObject({ type: 'integrated_account.reactivated', sequence: 2 });
    expect(JSON.parse(reactivated?.body ?? '{}').data).toMatchObject({ status: 'active', last_error: null });
  });

  it('wait as long as Retry-After says, the whole endpoint with them', async () => {
    const system = shared.aWorkspace();
    const inbox = system.anInbox();
    await system.anEndpoint(inbox);
    await inbox.set({ rules: [{ kind: 'status', status: 429, retry_after: '2', times: 1 }] });
    const account = await system.anAccount();
    await system.create(account);
    const [refused] = await inbox.wait(1);
    await system.create(account);
    const [, second, third] = await inbox.wait(3);
    const firstMs = refused?.at_ms ?? 0;
    for (const later of [second, third]) expect((later?.at_ms ?? 0) - firstMs).toBeGreaterThan(1_850);
  });

  it('can be tried', async () => {
    const system = shared.aWorkspace();
    const inbox = system.anInbox();
    const endpoint = await system.anEndpoint(inbox, { events: ['import.completed'] });
    const path = `/webhook-endpoints/${endpoint.id}/test`;
    const delivery = await system.call<DeliveryView>('POST', path, {});
    const [came] = await inbox.wait(1);
    expect(came).toMatchObject({ id: delivery.id, type: 'import.completed', verified: true });
    expect(JSON.parse(came?.body ?? '{}').data.test).toBe(true);
    const typed = await system.call<DeliveryView>('POST', path, { type: 'job.failed' });
    expect(typed.type).toBe('job.failed');
    await inbox.wait(2);
    await system.call('DELETE', `/webhook-endpoints/${endpoint.id}`);
    expect((await system.send('POST', path, {})).status).toBe(404);
  });

  it('never show a secret after its creation: not in answers, records or logs', async () => {
    const system = shared.aWorkspace();
    const inbox = system.anInbox();
    const endpoint = await system.anEndpoint(inbox, { truto_signature: true });
    const rotated = await system.call<{ secret: string }>(
      'POST',
      `/webhook-endpoints/${endpoint.id}/rotate-secret`,
    );
    const secrets = [endpoint.secret, rotated.secret];
    // A receiver that prints what it knows, and what it was sent.
    const leak = `${secrets.join(' ')} webhook-signature: v1,${'A'.repeat(43)}=`;
    await inbox.set({ rules: [{ kind: 'status', status: 500, body: leak, times: 1 }] });
    shared.seen.length = 0;
    const account = await system.anAccount();
    await system.create(account);
    await inbox.wait(2, ({ verified }) => verified);
    const path = `/webhook-endpoints/${endpoint.id}`;
    await system.call('PATCH', path, { description: 'changed' });
    await system.call('GET', path);
    await system.call('GET', '/webhook-endpoints');
    await until('delivered', async () => (await system.deliveries(endpoint.id))[0]?.status === 'delivered');
    expect((await system.deliveries(endpoint.id))[0]?.tries[0]?.response_body).toBe(
      '*** *** webhook-signature: ***',
    );

    const kept = await dumpRedis(shared.prefix);
    expect(kept.size).toBeGreaterThan(20);
    const everything = {
      answers: shared.seen.join('\n'),
      records: [...kept.values()].join('\n'),
      logs: `${shared.api.logs()}${shared.worker?.logs()}`,
    };
    for (const [where, text] of Object.entries(everything)) {
      expect(text.length, where).toBeGreaterThan(1_000);
      for (const secret of secrets) {
        const found = text.includes(secret) || text.includes(secret.replace('whsec_', ''));
        expect(found, `a secret in ${where}`).toBe(false);
      }
    }
  });
});
