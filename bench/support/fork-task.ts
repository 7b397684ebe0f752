import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs one task in a process of its own, so that its work is not counted as ours: `script` (from `bench/`) gets `task` as
 * its first message and answers with one.
 */
export function forkTask<Result>(script: string, task: object): Promise<Result> {
  const child = fork(fileURLToPath(new URL(`../${script}`, import.meta.url)));
  return new Promise((resolve, reject) => {
    // Each caller names what the script it asks for answers.
    child.once('message', (result) => resolve(result as Result));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code} before it had answered`)));
    child.send(task);
  });
}
