import { describe, expect, it } from 'vitest';
import { isUrlAllowed } from '../../shared/providers/url-allowlist.ts';

const salesforce = ['https://login.salesforce.com', 'https://*.my.salesforce.com'];

describe('isUrlAllowed', () => {
  it.each([
    ['https://login.salesforce.com', salesforce],
    ['https://login.salesforce.com/services/oauth2/token', salesforce],
    ['https://LOGIN.salesforce.com:443/x', salesforce],
    ['https://acme.my.salesforce.com', salesforce],
    ['http://127.0.0.1:3900/close', ['http://127.0.0.1:*']],
    ['http://127.0.0.1/close', ['http://127.0.0.1:*']],
    ['http://[::1]:3900', ['http://[::1]:*']],
    ['https://api.close.com:8443', ['https://api.close.com:8443/']],
  ])('allows %s by %j', (url, patterns) => {
    expect(isUrlAllowed(url, patterns)).toBe(true);
  });

  it.each([
    ['another scheme', 'http://login.salesforce.com', salesforce],
    ['two labels for one star', 'https://a.b.my.salesforce.com', salesforce],
    ['no label for a star', 'https://my.salesforce.com', salesforce],
    ['an empty label for a star', 'https://.my.salesforce.com', salesforce],
    ['a host that only ends alike', 'https://evilmy.salesforce.com', salesforce],
    ['a host that only begins alike', 'https://login.salesforce.com.evil.example', salesforce],
    ['user information', 'https://user:pass@login.salesforce.com', salesforce],
    ['the allowed host as user information', 'https://login.salesforce.com@evil.example', salesforce],
    ['the allowed host behind a backslash', 'https://evil.example\\@login.salesforce.com', salesforce],
    ['a port that is not listed', 'https://login.salesforce.com:8443', salesforce],
    ['a trailing dot', 'https://login.salesforce.com.', salesforce],
    ['another protocol', 'file:///etc/passwd', ['file://*']],
    ['something that is no URL', 'login.salesforce.com', salesforce],
    ['a pattern that is no origin', 'https://login.salesforce.com', ['*', 'https://', '']],
    ['an empty list', 'https://login.salesforce.com', []],
  ])('refuses %s', (_why, url, patterns) => {
    expect(isUrlAllowed(url, patterns)).toBe(false);
  });

  it('sees through other spellings of a loopback address', () => {
    expect(isUrlAllowed('http://0x7f.1/', ['https://*.*'])).toBe(false);
    expect(isUrlAllowed('http://0x7f.1/', ['http://127.0.0.1'])).toBe(true);
  });
});
