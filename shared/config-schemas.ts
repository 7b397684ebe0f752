import { z } from 'zod';
import { isOriginPattern } from './providers/url-allowlist.ts';

// What a variable of the environment may be. Each says in its error what would be right; none shows what may be a secret.

/** A whole number in decimal digits, as people write one; `Number` would take blanks for 0, and hexadecimal. */
export const count = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string({ error })
    .trim()
    .regex(/^\d{1,15}$/, { error })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error });
};
export const port = count(0, 65_535);
export const choice = <const T extends readonly [string, ...string[]]>(words: T) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });
export const flag = choice(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
export const redisUrl = z
  .string()
  .regex(/^(redis|rediss|redis\+sentinel|redis\+cluster):\/\/.+/, {
    error: 'must start with redis://, rediss://, redis+sentinel:// or redis+cluster://',
  })
  .superRefine((url, context) => {
    const fault = findUrlFault(url);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  });

/** One host as a URL, several as `h1:p1,h2:p2`. Some of what is refused here would connect, elsewhere than was meant. */
function findUrlFault(url: string): string | undefined {
  const several =
    /^redis\+(?:sentinel|cluster):\/\/(?:(?<user>[^:@/]*):[^@/]*@)?(?<hosts>[^/?]*)(?:\/(?<rest>[^?]*))?/.exec(
      url,
    )?.groups;
  if (!several) {
    const parsed = URL.parse(url);
    if (!parsed) return 'must be a URL with a host and a port, as redis://host:6379';
    return /^\/?\d*$/.test(parsed.pathname)
      ? undefined
      : 'must end with the number of a database, or without one';
  }
  const { user, hosts = '', rest = '' } = several;
  if (user && user !== 'default')
    return 'takes a password without a user name here, as redis+sentinel://:password@…';
  if (!hosts.split(',').every((host) => /^[^:,\s]+(:\d{1,5})?$/.test(host)))
    return 'must name its hosts as h1:p1,h2:p2';
  return rest.includes('/') ? 'must end with the name of the master, as /mymaster' : undefined;
}
export const encryptionKeys = z.string().transform((text, context) => {
  const keys = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  const parsed = keys.map((part) => {
    const at = part.indexOf(':');
    return { id: part.slice(0, Math.max(at, 0)), key: Buffer.from(part.slice(at + 1), 'base64') };
  });
  const bad = parsed.some(({ id, key }) => !/^[A-Za-z0-9_-]{1,32}$/.test(id) || key.length !== 32);
  const twice = parsed.find(({ id }, i) => parsed.findIndex((other) => other.id === id) !== i);
  if (twice) {
    context.addIssue({ code: 'custom', message: `must have every kid once; "${twice.id}" is given twice` });
    return z.NEVER;
  }
  if (parsed.length === 0 || bad) {
    context.addIssue({
      code: 'custom',
      message:
        'must be kid:base64(32 bytes), comma-separated; make one with: echo "k1:$(openssl rand -base64 32)"',
    });
    return z.NEVER;
  }
  return parsed;
});
export const origins = z.string().transform((text, context) => {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  const bad = parts.find((part) => !isOriginPattern(part));
  if (parts.length > 0 && bad === undefined) return parts;
  context.addIssue({
    code: 'custom',
    message: `must be origins as https://*.my.salesforce.com, comma-separated${bad === undefined ? '' : `; ${JSON.stringify(bad)} is none`}`,
  });
  return z.NEVER;
});

/** Comma-separated; `whole`: without fractions. */
export const numbers = (min: number, max: number, { whole }: { whole: boolean }) => {
  const form = whole ? /^\d{1,15}$/ : /^\d{1,15}(\.\d{1,6})?$/;
  return z.string().transform((text, context) => {
    const parsed = text.split(',').map((part) => (form.test(part.trim()) ? Number(part) : Number.NaN));
    if (parsed.every((value) => value >= min && value <= max)) return parsed;
    const message = `must be ${whole ? 'whole ' : ''}numbers from ${min} to ${max}, comma-separated`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
};
