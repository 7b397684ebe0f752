import { setTimeout as sleep } from 'node:timers/promises';
import { TEST_ADMIN_TOKEN } from '../test/support/processes.ts';
import type { PlannedCreate } from './plan.ts';

export type Submitted = { create: PlannedCreate; jobId?: string; refused?: string; tries: number };

export type Answers = Record<string, number>;
/** Told of each answer: its status, or `no answer`, and how long it took. */
export type OnAnswer = (what: string, tookMs: number) => void;

const ANSWER_WITHIN_MS = 5_000;

/**
 * A client as the documentation asks for: it sends the same key again after a 5xx, a 429 or a broken connection, until
 * it gets an answer that names a job.
 * @param origin where an API process listens now; the processes come and go.
 */
export async function submit(
  create: PlannedCreate,
  origin: () => string,
  onAnswer: OnAnswer,
  untilMs: number,
): Promise<Submitted> {
  for (let tries = 1; ; tries++) {
    const sentMs = Date.now();
    try {
      const answer = await fetch(
        `${origin()}/unified/crm/opportunities?integrated_account_id=${create.account.id}`,
        {
          method: 'POST',
          headers: {
            authorization: `Bearer ${TEST_ADMIN_TOKEN}`,
            'content-type': 'application/json',
            'idempotency-key': create.key,
          },
          body: JSON.stringify(create.body),
          signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        },
      );
      const text = await answer.text();
      onAnswer(String(answer.status), Date.now() - sentMs);
      if (answer.status === 202) return { create, jobId: String(JSON.parse(text).id), tries };
      if (answer.status < 500 && answer.status !== 429 && answer.status !== 409)
        return { create, refused: `${answer.status} ${text}`, tries };
    } catch {
      onAnswer('no answer', Date.now() - sentMs);
    }
    if (Date.now() > untilMs) return { create, refused: 'no answer that names a job in time', tries };
    await sleep(Math.min(100 * tries, 500));
  }
}

export type Job = {
  id: string;
  status: string;
  attempts: { outcome: string | null; message?: string | null }[];
  warnings: { code: string }[];
  candidates?: { remote_id: string; why: string }[];
  result: { id?: string } | null;
  error: { code?: string; message?: string } | null;
};

/** The job as an API process shows it; undefined while none answers. */
export async function readJob(id: string, origin: () => string): Promise<Job | undefined> {
  try {
    const answer = await fetch(`${origin()}/jobs/${id}`, {
      headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}` },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (!answer.ok) {
      await answer.arrayBuffer();
      return undefined;
    }
    // The shape is what the OpenAPI document says of a job.
    return (await answer.json()) as Job;
  } catch {
    return undefined;
  }
}

const ENDED = ['succeeded', 'failed', 'cancelled', 'needs_review'];
export const isOver = (job: Job | undefined): boolean => job !== undefined && ENDED.includes(job.status);

/** Reads jobs again until all are over or the time is up. */
export async function waitForJobs(
  ids: string[],
  origin: () => string,
  withinMs: number,
): Promise<Map<string, Job>> {
  const jobs = new Map<string, Job>();
  const deadline = Date.now() + withinMs;
  let open = ids;
  while (open.length > 0) {
    const queue = [...open];
    const lane = async () => {
      for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
        const job = await readJob(id, origin);
        if (job) jobs.set(id, job);
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    open = open.filter((id) => !isOver(jobs.get(id)));
    if (Date.now() > deadline) break;
    if (open.length > 0) await sleep(500);
  }
  return jobs;
}
