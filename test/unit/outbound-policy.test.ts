import { describe, expect, it } from 'vitest';
import { createTargetChecker } from '../../shared/outbound-policy/check-target.ts';
import { judgeAddress } from '../../shared/outbound-policy/judge-address.ts';
import { judgeUrl } from '../../shared/outbound-policy/judge-url.ts';
import { createProviderPolicy } from '../../shared/outbound-policy/provider-policy.ts';
import {
  createCheckedLookup,
  OutboundRefused,
  type Resolve,
  resolveChecked,
} from '../../shared/outbound-policy/resolve-checked.ts';

const STRICT = { allowPrivate: false, ports: [443, 8443] };
const DEVELOPMENT = { ...STRICT, allowPrivate: true };

/** URL → allowed in production, allowed with WEBHOOK_ALLOW_PRIVATE. */
const URLS: [url: string, strict: boolean, development: boolean][] = [
  ['https://example.com/hook', true, true],
  ['https://example.com:8443/hook?a=b#c', true, true],
  ['https://EXAMPLE.com', true, true],
  ['https://xn--bcher-kva.example/hook', true, true],
  ['https://8.8.8.8/', true, true],
  ['https://[2606:4700:4700::1111]/', true, true],
  // Scheme, user information, ports, form.
  ['http://example.com/', false, true],
  ['ftp://example.com/', false, false],
  ['file:///etc/passwd', false, false],
  ['gopher://example.com/', false, false],
  ['javascript:alert(1)', false, false],
  ['//example.com/', false, false],
  ['example.com', false, false],
  ['', false, false],
  ['https://user:pass@example.com/', false, false],
  ['https://user@example.com/', false, false],
  ['https://@example.com/', false, false],
  ['https://example.com@127.0.0.1/', false, false],
  ['https://example.com:22/', false, true],
  ['https://example.com:6379/', false, true],
  ['https://example.com:80/', false, true],
  ['https://exa mple.com/', false, false],
  ['https://example.com\\@127.0.0.1/', false, false],
  ['https://exam\tple.com/', false, false],
  ['https://example.com/\r\nHost: x', false, false],
  ['https://bücher.example/', false, false],
  [`https://example.com/${'a'.repeat(2_000)}`, false, false],
  // Local names.
  ['https://localhost/', false, true],
  ['https://localhost./', false, true],
  ['https://api.localhost/', false, true],
  ['https://printer.local/', false, true],
  ['https://metadata.google.internal/', false, true],
  ['https://redis/', false, true],
  ['https://redis:6379/', false, true],
  // Loopback, also in odd number forms.
  ['https://127.0.0.1/', false, true],
  ['https://127.255.255.254/', false, true],
  ['https://127.1/', false, false],
  ['https://2130706433/', false, false],
  ['https://0x7f000001/', false, false],
  ['https://0x7f.0.0.1/', false, false],
  ['https://017700000001/', false, false],
  ['https://0177.0.0.01/', false, false],
  ['https://127.0.0.1./', false, false],
  ['https://134744072/', false, false],
  ['https://%31%32%37.0.0.1/', false, false],
  ['https://0.0.0.0/', false, false],
  ['https://0/', false, false],
  ['https://[::1]/', false, true],
  ['https://[::]/', false, false],
  ['https://[0:0:0:0:0:0:0:1]/', false, true],
  // Private, link-local, shared, reserved.
  ['https://10.0.0.1/', false, true],
  ['https://172.16.0.1/', false, true],
  ['https://172.31.255.255/', false, true],
  ['https://172.32.0.1/', true, true],
  ['https://192.168.1.1/', false, true],
  ['https://[fc00::1]/', false, true],
  ['https://[fd12:3456:789a::1]/', false, true],
  ['https://169.254.169.254/latest/meta-data/', false, false],
  ['https://169.254.170.2/', false, false],
  ['https://[fe80::1]/', false, false],
  ['https://[fd00:ec2::254]/', false, false],
  ['https://100.64.0.1/', false, false],
  ['https://100.100.100.200/', false, false],
  ['https://168.63.129.16/', false, false],
  ['https://192.0.0.192/', false, false],
  ['https://192.0.2.1/', false, false],
  ['https://198.18.0.1/', false, false],
  ['https://203.0.113.7/', false, false],
  ['https://224.0.0.1/', false, false],
  ['https://239.255.255.250/', false, false],
  ['https://240.0.0.1/', false, false],
  ['https://255.255.255.255/', false, false],
  ['https://[ff02::1]/', false, false],
  ['https://[2001:db8::1]/', false, false],
  ['https://[100::1]/', false, false],
  // IPv4 in disguise.
  ['https://[::ffff:127.0.0.1]/', false, false],
  ['https://[::ffff:7f00:1]/', false, false],
  ['https://[::ffff:8.8.8.8]/', false, false],
  ['https://[::ffff:0:127.0.0.1]/', false, false],
  ['https://[::127.0.0.1]/', false, false],
  ['https://[64:ff9b::7f00:1]/', false, false],
  ['https://[64:ff9b:1::a00:1]/', false, false],
  ['https://[2002:7f00:1::]/', false, false],
  ['https://[2002:a9fe:a9fe::1]/', false, false],
  ['https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/', false, false],
  ['https://[fec0::1]/', false, false],
];

describe('the outbound policy', () => {
  it.each(URLS)('%s', (url, strict, development) => {
    const [judged, opened] = [judgeUrl(url, STRICT), judgeUrl(url, DEVELOPMENT)];
    expect({ strict: judged.ok, development: opened.ok }).toEqual({ strict, development });
    if (!judged.ok) expect(judged.reason).toMatch(/\w{2,} \w+/);
  });

  it('has at least 60 rows', () => expect(URLS.length).toBeGreaterThanOrEqual(60));

  it.each(['', 'example.com', '1.2.3', 'fe80::1%eth0', '::ffff:10.0.0.1', '0.0.0.0'])(
    'refuses %j as an address, in development too',
    (address) => expect(judgeAddress(address, true)).toBeDefined(),
  );

  it('says why', () => {
    expect(judgeUrl('https://169.254.169.254/', STRICT)).toEqual({
      ok: false,
      reason: '169.254.169.254 is a link-local address (cloud metadata lives there)',
    });
    expect(judgeUrl('https://0x7f.1/', STRICT)).toEqual({
      ok: false,
      reason: 'its host is 127.0.0.1 in an unusual form',
    });
  });
});

const answers =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

describe('names', () => {
  it('are refused when only the second of their addresses is 127.0.0.1', async () => {
    const resolve = answers('93.184.216.34', '127.0.0.1');
    await expect(resolveChecked('two.example', { resolve, allowPrivate: false })).rejects.toThrow(
      new OutboundRefused('two.example leads to 127.0.0.1 is a loopback address'),
    );
    const checked = await createTargetChecker(STRICT, resolve).check('https://two.example/');
    expect(checked).toEqual({ ok: false, reason: 'two.example leads to 127.0.0.1 is a loopback address' });
  });

  it('that answer public first and 127.0.0.1 second pass registration and are refused by the connection', async () => {
    let asked = 0;
    const resolve: Resolve = async () => [
      { address: ++asked === 1 ? '93.184.216.34' : '127.0.0.1', family: 4 },
    ];
    expect((await createTargetChecker(STRICT, resolve).check('https://flip.example/')).ok).toBe(true);
    const lookup = createCheckedLookup({ allowPrivate: false, resolve });
    const error = await new Promise((done) => lookup('flip.example', { all: true }, (err) => done(err)));
    expect(error).toBeInstanceOf(OutboundRefused);
    expect(asked).toBe(2);
  });

  it('give the socket exactly the addresses that were judged, and ask once', async () => {
    let asked = 0;
    const resolve: Resolve = async () => {
      asked += 1;
      return [
        { address: '93.184.216.34', family: 4 },
        { address: '2606:4700:4700::1111', family: 6 },
      ];
    };
    const lookup = createCheckedLookup({ allowPrivate: false, resolve });
    const found = await new Promise((done) => lookup('a.example', { all: true }, (_, list) => done(list)));
    expect(found).toEqual(await resolve('a.example'));
    const one = await new Promise((done) =>
      lookup('a.example', { family: 6 }, (_, address) => done(address)),
    );
    expect(one).toBe('2606:4700:4700::1111');
    expect(asked).toBe(3);
  });

  it('that nobody knows are refused; a resolver that does not answer only where that is asked for', async () => {
    const failing =
      (code: string): Resolve =>
      () =>
        Promise.reject(Object.assign(new Error(code), { code }));
    const unknown = createTargetChecker(STRICT, failing('ENOTFOUND'));
    expect((await unknown.check('https://gone.example/', { patient: true })).ok).toBe(false);
    const silent = createTargetChecker(STRICT, failing('EAI_AGAIN'));
    expect((await silent.check('https://a.example/')).ok).toBe(false);
    expect((await silent.check('https://a.example/', { patient: true })).ok).toBe(true);
  });
});

describe('calls to providers', () => {
  const policy = createProviderPolicy(
    [
      'https://*.my.salesforce.com',
      'https://api.close.com',
      'http://127.0.0.1:*',
      'http://sandbox:3900',
      'http://localhost:*',
    ],
    answers('10.1.2.3'),
  );
  const lookedUp = (name: string) =>
    new Promise<string>((done) =>
      policy.lookup(name, { all: false }, (err, address) => done(err ? err.name : String(address))),
    );

  it('reach private hosts that the operator named, and no others', async () => {
    expect(policy.judge(new URL('http://127.0.0.1:3900/close'))).toBeUndefined();
    expect(policy.judge(new URL('http://10.0.0.1/'))).toBe('10.0.0.1 is a private address');
    expect(await lookedUp('sandbox')).toBe('10.1.2.3');
    expect(await lookedUp('localhost')).toBe('10.1.2.3');
    expect(await lookedUp('api.close.com')).toBe('OutboundRefused');
    expect(await lookedUp('evil.my.salesforce.com')).toBe('OutboundRefused');
  });
});
