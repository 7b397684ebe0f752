import { createPrivateKey, type KeyObject } from 'node:crypto';

/**
 * An unencrypted RSA key in PEM, PKCS#8 or PKCS#1, also with its line breaks written as `\n`, as in environment files.
 * @returns undefined for anything else; why is not said, the cause could quote the key.
 */
export function readRsaKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem.replaceAll('\\n', '\n').trim());
    return key.asymmetricKeyType === 'rsa' ? key : undefined;
  } catch {
    return undefined;
  }
}
