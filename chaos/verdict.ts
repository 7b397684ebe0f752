import type { ProviderName } from './accounts.ts';
import { isOver, type Job, type Submitted } from './client.ts';

export type RemoteRecord = { id: string; tag: string };

/** Rule of the design that allows a job to end with a person. */
export type ReviewRule = 'equal_create_in_flight_without_marker';

export type Verdict = {
  creates: number;
  duplicates: number;
  lost: number;
  non_terminal: number;
  succeeded: number;
  failed: number;
  reconciled: number;
  resent: number;
  needs_review: number;
  needs_review_explained: number;
  review_rules: Partial<Record<ReviewRule, number>>;
  /** What is wrong, in words; the first few. */
  findings: string[];
};

type Told = { submitted: Submitted; job: Job | undefined };

/** Every record of the run, by the tag in its name; the rest of the sandbox's records is seed data. */
export const readRecords = (sandbox: string, seed: number): Promise<RemoteRecord[]> =>
  readTagged(sandbox, new RegExp(`Chaos (s${seed}n\\d+x)`));

/** Records of all providers by what `pattern` takes out of their names. */
export async function readTagged(sandbox: string, pattern: RegExp): Promise<RemoteRecord[]> {
  const providers: ProviderName[] = ['salesforce', 'close', 'capsule'];
  const all: RemoteRecord[] = [];
  for (const provider of providers) {
    const answer = await fetch(`${sandbox}/_control/records?provider=${provider}`);
    const { records } = (await answer.json()) as { records: Record<string, unknown>[] };
    for (const record of records) {
      const tag = pattern.exec(String(record.Name ?? record.name ?? record.note))?.[1];
      if (tag) all.push({ id: String(record.Id ?? record.id), tag });
    }
  }
  return all;
}

/**
 * Compares what was accepted with what the providers hold. A create is right when it is exactly one record, or stands
 * in `needs_review` with at most one record that no job claims.
 */
export function judge(submitted: Submitted[], jobs: Map<string, Job>, records: RemoteRecord[]): Verdict {
  const told = submitted.map((one) => ({ submitted: one, job: one.jobId ? jobs.get(one.jobId) : undefined }));
  const verdict: Verdict = {
    creates: submitted.length,
    duplicates: 0,
    lost: 0,
    non_terminal: 0,
    ...counts(told),
    needs_review_explained: 0,
    review_rules: {},
    findings: [],
  };
  const byTag = Map.groupBy(told, (one) => one.submitted.create.tag);
  const recordsByTag = Map.groupBy(records, ({ tag }) => tag);
  for (const [tag, group] of byTag) judgeGroup(verdict, tag, group, recordsByTag.get(tag) ?? []);
  verdict.findings.splice(10);
  return verdict;
}

function counts(told: Told[]) {
  const jobs = told.flatMap(({ job }) => job ?? []);
  const having = (outcome: string) =>
    jobs.filter((job) => job.attempts.some((attempt) => attempt.outcome === outcome));
  return {
    succeeded: jobs.filter(({ status }) => status === 'succeeded').length,
    failed: jobs.filter(({ status }) => status === 'failed').length,
    needs_review: jobs.filter(({ status }) => status === 'needs_review').length,
    reconciled: having('reconciled').length,
    resent: having('ambiguous').filter((job) => job.attempts.at(-1)?.outcome === 'succeeded').length,
  };
}

function judgeGroup(verdict: Verdict, tag: string, group: Told[], records: RemoteRecord[]): void {
  const note = (text: string) =>
    verdict.findings.push(`${tag} (${group[0]?.submitted.create.account.name}): ${text}`);
  const ids = new Set(records.map(({ id }) => id));
  const claimed = new Set<string>();
  let inReview = 0;
  for (const { submitted, job } of group) {
    if (!job || !isOver(job)) {
      verdict.non_terminal += 1;
      note(`${submitted.jobId ?? submitted.refused} is ${job?.status ?? 'unreadable'}`);
    } else if (job.status === 'needs_review') {
      inReview += 1;
      explain(verdict, group, note);
    } else if (job.status !== 'succeeded') {
      verdict.lost += 1;
      note(`${job.id} ended ${job.status}: ${job.error?.code} ${job.error?.message}`);
    } else {
      const id = String(job.result?.id);
      if (!ids.has(id) || claimed.has(id)) {
        verdict.lost += 1;
        note(`${job.id} says ${id}, which is ${ids.has(id) ? "another job's record" : 'not there'}`);
      }
      claimed.add(id);
    }
  }
  const unclaimed = records.filter(({ id }) => !claimed.has(id)).length;
  // Of a job in review at most one record may exist that nobody claims.
  const surplus = Math.max(0, unclaimed - inReview);
  verdict.duplicates += surplus;
  if (surplus > 0) note(`${records.length} records for ${group.length} creates`);
}

/** The only open end the design allows here: two equal creates without a marker, in doubt at the same time. */
function explain(verdict: Verdict, group: Told[], note: (text: string) => void): void {
  const hasMarker = group[0]?.submitted.create.account.marker !== null;
  if (!hasMarker && group.length > 1) {
    verdict.needs_review_explained += 1;
    const rule = 'equal_create_in_flight_without_marker';
    verdict.review_rules[rule] = (verdict.review_rules[rule] ?? 0) + 1;
    return;
  }
  note(
    `in review without a reason the design gives: ${group.map(({ job }) => job?.error?.message).join(' / ')}`,
  );
}
