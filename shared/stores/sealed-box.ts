import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

/** Key with the id under which it is named in a sealed text. */
export type SealingKey = { id: string; key: Buffer };

/** A sealed text cannot be opened. The message never holds the content, only what an operator has to do. */
export class SealedBoxError extends Error {
  override name = 'SealedBoxError';
}

export type SealedBox = ReturnType<typeof createSealedBox>;

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals secrets at rest with AES-256-GCM. Text form: `v1.<kid>.<iv>.<ciphertext and tag>`, base64url.
 * The id of the record is authenticated with it, so that a sealed text moved to another record does not open.
 *
 * Rotation: the first key seals, all open; {@link SealedBox.isCurrent} tells whether a text should be sealed anew.
 * @param keys 32 bytes each; the first is the current one.
 */
export function createSealedBox(keys: SealingKey[]) {
  // Made once: made anew for every text they cost as much as the opening itself.
  const made = keys.map(({ id, key }) => ({ id, key: createSecretKey(key) }));
  const current = made[0];
  if (!current) throw new SealedBoxError('No encryption key is configured; set ENCRYPTION_KEYS.');
  const byId = new Map(made.map(({ id, key }) => [id, key]));

  return {
    /** @param aad id of the record that holds the text. */
    seal(aad: string, plain: string): string {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current.key, iv).setAAD(Buffer.from(aad));
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${current.id}.${iv.toString('base64url')}.${sealed.toString('base64url')}`;
    },

    /** @throws SealedBoxError when the key is not configured, or the text was changed or belongs to another record. */
    open(aad: string, text: string): string {
      const [version, kid = '', iv = '', body = '', ...rest] = text.split('.');
      if (version !== 'v1' || rest.length > 0) {
        throw new SealedBoxError('A sealed value has an unknown form; it was written by a newer version.');
      }
      const key = byId.get(kid);
      if (!key) {
        throw new SealedBoxError(
          `A sealed value needs the encryption key "${kid}", which is not in ENCRYPTION_KEYS; add it there, or store the secret again.`,
        );
      }
      return openWith(key, aad, Buffer.from(iv, 'base64url'), Buffer.from(body, 'base64url'));
    },

    isCurrent(text: string): boolean {
      return text.startsWith(`v1.${current.id}.`);
    },
  };
}

function openWith(key: KeyObject, aad: string, iv: Buffer, body: Buffer): string {
  try {
    if (iv.length !== IV_BYTES || body.length < TAG_BYTES) throw new Error('truncated');
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(aad)).setAuthTag(body.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new SealedBoxError(
      'A sealed value does not open: it was changed, belongs to another record, or its key id names another key. Store the secret again.',
      { cause },
    );
  }
}
