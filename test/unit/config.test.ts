import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../shared/config.ts';

/** What is said of the first bad variable; undefined: nothing. */
function fault(env: Record<string, string>): string | undefined {
  try {
    readConfig(env);
    return undefined;
  } catch (err) {
    if (err instanceof ConfigError) return err.message.split('\n')[1]?.trim();
    throw err;
  }
}

const key = (kid: string) => `${kid}:${Buffer.alloc(32, 1).toString('base64')}`;

describe('the environment', () => {
  it.each([
    ['PORT', '0x6190', 'must be a whole number from 0 to 65535'],
    ['PORT', ' ', 'must be a whole number from 0 to 65535'],
    ['PORT', '3000.5', 'must be a whole number from 0 to 65535'],
    ['WORKER_HEALTH_PORT', '70000', 'must be a whole number from 0 to 65535'],
    ['JOB_RETENTION_DAYS', 'x', 'must be a whole number from 1 to 365'],
    ['JOB_RETENTION_DAYS', '0', 'must be a whole number from 1 to 365'],
    ['WEBHOOK_PORTS', '443.5', 'must be whole numbers from 1 to 65535'],
    ['WEBHOOK_PORTS', '443,', 'must be whole numbers from 1 to 65535'],
    ['WEBHOOK_RETRY_SECONDS', '5,1e3', 'must be numbers from 0 to 2592000'],
    ['REDIS_PREFIX', 'a b', 'must be 1 to 40 letters, digits, hyphens or underscores'],
    ['DURABILITY', 'often', 'must be one of strict, asserted, relaxed'],
    ['WEBHOOK_ALLOW_PRIVATE', 'yes', 'must be one of true, false, 1, 0'],
    ['LOG_LEVEL', 'loud', 'must be one of fatal, error, warn'],
    ['ENCRYPTION_KEYS', 'k1:short', 'must be kid:base64(32 bytes)'],
    ['ENCRYPTION_KEYS', `${key('k1')},${key('k1')}`, 'must have every kid once; "k1" is given twice'],
    ['PROVIDER_URL_ALLOWLIST', 'https://a.com,ftp://x', '"ftp://x" is none'],
    ['PROVIDER_URL_ALLOWLIST', 'https://a.com/path', 'must be origins'],
    ['PROVIDER_URL_ALLOWLIST', '*', 'must be origins'],
    ['PROVIDER_URL_ALLOWLIST', ',', 'must be origins'],
    ['REDIS_URL', 'http://h:1', 'must start with redis://'],
    ['REDIS_URL', 'redis://127.0.0.1:notaport', 'must be a URL with a host and a port'],
    ['REDIS_URL', 'redis://h:6379/abc', 'must end with the number of a database'],
    ['REDIS_URL', 'redis+sentinel://h:1/mymaster/0', 'must end with the name of the master'],
    ['REDIS_URL', 'redis+cluster://h1:1, h2:2', 'must name its hosts as h1:p1,h2:p2'],
    ['REDIS_URL', 'redis+sentinel://ann:pw@h:1/m', 'takes a password without a user name'],
    ['REDIS_URL', 'redis+cluster://h1:1,h2:x', 'must name its hosts as h1:p1,h2:p2'],
  ])('with %s=%s is refused in a sentence that names it', (name, value, sentence) => {
    const said = fault({ [name]: value });
    expect(said).toContain(`${name} ${sentence.startsWith('must') ? sentence : ''}`.trim());
    expect(said).toContain(sentence);
  });

  it.each([
    ['REDIS_URL', 'redis://h:6379/2'],
    ['REDIS_URL', 'redis:///0'],
    ['REDIS_URL', 'redis://:p%40ss%2Fword@[::1]:6379?family=6'],
    ['REDIS_URL', 'redis+sentinel://default:pw@h1,h2:26379'],
    ['PORT', ' 3000\n'],
    ['REDIS_URL', 'rediss://user:pass@h:6380'],
    ['REDIS_URL', 'redis+sentinel://:pw@h1:26379,h2:26379/mymaster'],
    ['REDIS_URL', 'redis+cluster://h1:6379,h2'],
    ['PROVIDER_URL_ALLOWLIST', 'https://*.my.salesforce.com, http://127.0.0.1:*'],
    ['ENCRYPTION_KEYS', `${key('new')},${key('old')}`],
    ['PORT', '0'],
    ['WEBHOOK_RETRY_SECONDS', '0,0.5,300'],
  ])('with %s=%s is taken', (name, value) => {
    expect(fault({ [name]: value })).toBeUndefined();
  });

  it('that is empty is that of the defaults', () => {
    expect(
      fault(Object.fromEntries(['PORT', 'PROVIDER_URL_ALLOWLIST', 'LOG_LEVEL'].map((name) => [name, '']))),
    ).toBe(undefined);
  });
});
