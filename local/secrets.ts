import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Secrets = z.object({ admin_token: z.string().min(16), encryption_keys: z.string().min(1) });
export type Secrets = { adminToken: string; encryptionKeys: string };

/**
 * The secrets of this installation, made at the first start and kept with its data: credentials sealed yesterday
 * must open today.
 * @throws Error when the file exists but cannot be read; making new keys would lock the stored credentials away.
 */
export function loadOrCreateSecrets(dataDir: string): Secrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'secrets.json');
  const fresh = {
    admin_token: `dw_${randomBytes(24).toString('base64url')}`,
    encryption_keys: `k1:${randomBytes(32).toString('base64')}`,
  };
  try {
    // Never over an existing file, whoever else starts at this moment.
    writeFileSync(file, `${JSON.stringify(fresh, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (err) {
    if (!(err instanceof Error && 'code' in err && err.code === 'EEXIST')) throw err;
  }
  return read(file);
}

function read(file: string): Secrets {
  try {
    const stored = Secrets.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { adminToken: stored.admin_token, encryptionKeys: stored.encryption_keys };
  } catch (err) {
    throw new Error(
      `${file} holds no usable secrets. Restore it, or delete the whole directory to start with empty data.`,
      { cause: err },
    );
  }
}
