import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSealedBox, SealedBoxError } from '../../shared/stores/sealed-box.ts';

const aKey = (id: string) => ({ id, key: randomBytes(32) });

describe('sealed box', () => {
  it('opens what it sealed, and shows nothing of it', () => {
    const box = createSealedBox([aKey('k1')]);
    const sealed = box.seal('account-1', 'top secret ✓');
    expect(sealed).toMatch(/^v1\.k1\.[\w-]+\.[\w-]+$/);
    expect(sealed).not.toContain('secret');
    expect(box.open('account-1', sealed)).toBe('top secret ✓');
  });

  it('never seals the same text alike', () => {
    const box = createSealedBox([aKey('k1')]);
    expect(box.seal('a', 'x')).not.toBe(box.seal('a', 'x'));
  });

  it('does not open for another record', () => {
    const box = createSealedBox([aKey('k1')]);
    expect(() => box.open('account-2', box.seal('account-1', 'x'))).toThrow(SealedBoxError);
  });

  it('does not open when one character was changed', () => {
    const box = createSealedBox([aKey('k1')]);
    const sealed = box.seal('a', 'a text that is long enough');
    const at = sealed.length - 10;
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
    expect(() => box.open('a', changed)).toThrow(/does not open/);
    expect(() => box.open('a', sealed.slice(0, -8))).toThrow(/does not open/);
    expect(() => box.open('a', 'v1.k1..')).toThrow(/does not open/);
  });

  it('names the key that is missing, not the content', () => {
    const sealed = createSealedBox([aKey('old')]).seal('a', 'canary');
    const open = () => createSealedBox([aKey('new')]).open('a', sealed);
    expect(open).toThrow('"old", which is not in ENCRYPTION_KEYS');
    expect(open).not.toThrow(/canary/);
  });

  it('refuses a form it does not know', () => {
    const box = createSealedBox([aKey('k1')]);
    for (const text of ['', 'v2.k1.a.b', 'v1.k1.a.b.c', 'plain text'])
      expect(() => box.open('a', text)).toThrow(SealedBoxError);
  });

  it('rotates: the first key seals, all open, and an old seal is known as such', () => {
    const [old, fresh] = [aKey('k1'), aKey('k2')];
    const sealed = createSealedBox([old]).seal('a', 'x');
    const box = createSealedBox([fresh, old]);
    expect(box.open('a', sealed)).toBe('x');
    expect(box.isCurrent(sealed)).toBe(false);
    expect(box.isCurrent(box.seal('a', 'x'))).toBe(true);
  });
});
