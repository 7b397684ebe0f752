import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for the files of one benchmark. `await using` removes it. */
export async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'dealwright-bench-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
