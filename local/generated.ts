import { readFile, writeFile } from 'node:fs/promises';
import { renderOpenApi } from '../shared/contract/build-openapi.ts';
import { renderEnvExample } from './env-example.ts';
import { renderErrorCodes } from './error-codes.ts';

export type GeneratedFile = { path: string; render: () => string };

/** Files that are made from code, and committed so that they can be read without running it. */
export const GENERATED: GeneratedFile[] = [
  { path: '.env.example', render: renderEnvExample },
  { path: 'docs/error-codes.md', render: renderErrorCodes },
  { path: 'docs/openapi.json', render: renderOpenApi },
];

/** Line where the committed file differs from what the code says now, or undefined if it does not. */
export async function findDrift({ path, render }: GeneratedFile): Promise<string | undefined> {
  const committed = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  const current = render().split('\n');
  const at = current.findIndex((line, index) => line !== committed[index]);
  const line = at === -1 && committed.length !== current.length ? current.length : at;
  if (line === -1) return undefined;
  return `${path}:${line + 1} is out of date: npm run check -- --write\n  committed: ${committed[line] ?? ''}\n  now:       ${current[line] ?? ''}`;
}

export async function writeGenerated(): Promise<void> {
  for (const file of GENERATED) {
    if ((await findDrift(file)) === undefined) continue;
    await writeFile(file.path, file.render());
    console.log(`wrote ${file.path}`);
  }
}
