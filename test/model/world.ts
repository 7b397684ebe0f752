import type { MarkerSetting } from '../../shared/domain/integrated-account.ts';
import { isEnded, isSettled, type JobRecord } from '../../shared/domain/job.ts';
import type { NextStep } from '../../worker/next-step.ts';
import type { WriterDeps } from '../../worker/write-opportunity/deps.ts';
import { createWriter } from '../../worker/write-opportunity/processor.ts';
import type { Choose } from './explore.ts';
import { aJob, anAccount } from './model-jobs.ts';
import { createModelProvider } from './model-provider.ts';
import { createModelStore } from './model-store.ts';

/** How much may go wrong in one run; what is spent, the rest of the run does without. */
export type Budget = {
  /** Creates whose answer is not simply there. */
  lostAnswers: number;
  /** Times one run is put off in the middle for the other. */
  preemptions: number;
  /** Workers that die, or freeze and go on when nobody expects them any more. */
  crashes: number;
  /** Looks that come later than planned. */
  lateLooks: number;
};

/** Protections that can be taken away, to see that the model notices. */
export type Removed = 'twins' | 'claims' | 'settling';

export type Setting = {
  marker: MarkerSetting | undefined;
  parentId: string | undefined;
  budget: Budget;
  without?: Removed;
};

/** A run of one job in one worker; `parked` while it stands before something that others can see. */
export type Task = {
  job: string;
  generation: number;
  /** In the order they were reached: a run may wait for several things at once. */
  parked: { what: string; go: () => void }[];
  fate: 'alive' | 'dead' | 'frozen' | 'finished';
};

/** What one run of one job rests on in this world. */
export type DepsOf = (world: World, task: Task) => WriterDeps;

type Event = { atMs: number; what: string; happen: () => void; canBeLate?: boolean; isCommit?: boolean };

const LOCK_MS = 2_000;
const SWEEP_MS = 15_000;
const STEPS_MAX = 2_000;

/**
 * Two jobs, their workers, the engine and the provider on a virtual clock. Every point at which one run could see
 * another is a choice: who goes on, what becomes of a create, who dies.
 */
export class World {
  readonly setting: Setting;
  readonly choose: Choose;
  readonly provider = createModelProvider();
  readonly claims = new Map<string, string>();
  readonly store = createModelStore(this.claims, () => this.nowMs);
  readonly sets = new Map<string, Set<string>>();
  readonly account;
  readonly trace: string[] = [];
  nowMs = 1_000_000;
  readonly #depsOf: DepsOf;
  readonly #left: Budget;
  #sweptAtMs = this.nowMs;
  #tasks: Task[] = [];
  #events: Event[] = [];
  /** Engine jobs by record and generation. */
  readonly #engine = new Set<string>();

  constructor(setting: Setting, choose: Choose, depsOf: DepsOf) {
    this.#depsOf = depsOf;
    this.setting = setting;
    this.choose = choose;
    this.account = anAccount(setting.marker);
    this.#left = { ...setting.budget };
  }

  async run(): Promise<void> {
    for (const id of ['A', 'B']) {
      this.store.add(aJob(id, this.account.id, this.nowMs));
      this.enqueue(id, 1);
    }
    for (let step = 0; step < STEPS_MAX; step++) {
      await drainMicrotasks();
      this.#commitWhatIsDue();
      if (this.#stepOne()) continue;
      if (this.#passTime()) continue;
      if (this.#sweepOrphans()) continue;
      return;
    }
    throw new Error(`no end after ${STEPS_MAX} steps:\n${this.trace.slice(-40).join('\n')}`);
  }

  note(what: string): void {
    this.trace.push(`${this.nowMs - 1_000_000} ${what}`);
  }

  later(atMs: number, what: string, happen: () => void, kind?: 'canBeLate' | 'isCommit'): void {
    this.#events.push({ atMs, what, happen, ...(kind ? { [kind]: true } : {}) });
  }

  spend(kind: keyof Budget, options: number): number {
    if (this.#left[kind] <= 0) return 0;
    const choice = this.choose(options);
    if (choice > 0) this.#left[kind]--;
    return choice;
  }

  /** A point others can see: whoever calls it waits until it is its turn. */
  point(task: Task, what: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    task.parked.push({
      what,
      go: () => {
        this.nowMs += 1;
        this.note(`${task.job}: ${what}`);
        resolve();
      },
    });
    return promise;
  }

  enqueue(job: string, generation: number): void {
    this.#engine.add(`${job}.${generation}`);
    this.#begin(job, generation);
  }

  #begin(job: string, generation: number): void {
    const task: Task = { job, generation, parked: [], fate: 'alive' };
    this.#tasks.push(task);
    const writer = createWriter(this.#depsOf(this, task));
    writer({ v: 1, job, generation }, new AbortController().signal).then(
      (next) => this.#end(task, next),
      (err) => {
        this.note(`${job}: the run threw ${err}`);
        this.#end(task, { kind: 'done' });
      },
    );
  }

  #end(task: Task, next: NextStep): void {
    const { job, generation, fate } = task;
    task.fate = 'finished';
    // A run that had lost its lock can tell the engine nothing any more.
    if (fate !== 'alive' || !this.#tasks.includes(task)) return;
    this.#tasks = this.#tasks.filter((one) => one !== task);
    if (next.kind === 'done') this.#engine.delete(`${job}.${generation}`);
    else
      this.later(
        next.untilMs,
        `${job} comes back`,
        () => this.#begin(job, generation),
        this.store.status(job) === 'waiting' ? 'canBeLate' : undefined,
      );
  }

  /** One parked run goes on, or its worker dies in front of it. @returns false when none is parked. */
  #stepOne(): boolean {
    const parked = this.#tasks.filter((task) => task.parked.length > 0 && task.fate === 'alive');
    const [first, ...others] = parked;
    if (!first) return false;
    const choice = others.length > 0 ? this.spend('preemptions', parked.length) : 0;
    const task = parked[choice] ?? first;
    // Whoever was chosen stays chosen until it has to wait.
    this.#tasks = [task, ...this.#tasks.filter((one) => one !== task)];
    const crash = this.spend('crashes', 4);
    if (crash === 0) task.parked.shift()?.go();
    else this.#crash(task, crash);
    return true;
  }

  /** 1: dead · 2: frozen, goes on soon after its lock was lost · 3: frozen for minutes. The engine hands the job out again. */
  #crash(task: Task, kind: number): void {
    const { job, generation, parked } = task;
    this.note(`${job}: ${kind === 1 ? 'dies' : 'freezes'} before ${parked[0]?.what}`);
    this.#tasks = this.#tasks.filter((one) => one !== task);
    task.fate = kind === 1 ? 'dead' : 'frozen';
    this.later(this.nowMs + LOCK_MS, `${job} is handed out again`, () => {
      if (this.#engine.has(`${job}.${generation}`)) this.#begin(job, generation);
    });
    if (kind === 1) return;
    const thawMs = kind === 2 ? LOCK_MS + 1 : 120_000;
    this.later(this.nowMs + thawMs, `${job} thaws`, () => this.#thaw(task));
  }

  /** It goes on where it stood; what it does then is its own. */
  #thaw(task: Task): void {
    const goOn = async () => {
      while (task.fate === 'frozen') {
        task.parked.shift()?.go();
        await drainMicrotasks();
      }
    };
    goOn();
  }

  /** The provider does not wait for our workers: what it commits now is there before they go on. */
  #commitWhatIsDue(): void {
    for (const event of this.#events.filter(({ atMs, isCommit }) => isCommit && atMs <= this.nowMs)) {
      this.#events = this.#events.filter((one) => one !== event);
      this.note(event.what);
      event.happen();
    }
  }

  /** The next thing that is due happens. @returns false when nothing is. */
  #passTime(): boolean {
    this.#events.sort((a, b) => a.atMs - b.atMs);
    const [next] = this.#events;
    if (!next) return false;
    const late = next.canBeLate && this.#events.length > 1 ? this.spend('lateLooks', 3) : 0;
    if (late > 0) {
      // The workers are busy: it comes after what is due next, or when all that stands in the calendar now is over.
      next.atMs = (this.#events.at(late === 1 ? 1 : -1)?.atMs ?? next.atMs) + 1;
      next.canBeLate = false;
      return true;
    }
    this.#events.shift();
    this.nowMs = Math.max(this.nowMs, next.atMs);
    this.note(next.what);
    next.happen();
    if (this.nowMs - this.#sweptAtMs > SWEEP_MS) this.#sweepOrphans();
    return true;
  }

  /** As the orphan sweep: an open job that the engine does not know is queued again. */
  #sweepOrphans(): boolean {
    this.#sweptAtMs = this.nowMs;
    const orphan = this.store
      .all()
      .find((job) => !isSettled(job.status) && !this.#engine.has(`${job.id}.${job.generation}`));
    if (!orphan) return false;
    this.note(`${orphan.id} is swept`);
    this.enqueue(orphan.id, this.store.requeue(orphan.id));
    return true;
  }

  /** @throws Error with the trace, when a job has no end, or not exactly the records it should. */
  check(): void {
    const jobs = this.store.all();
    const fail = (why: string): never => {
      throw new Error(`${why}\n${this.trace.join('\n')}\n${jobs.map(describe).join('\n')}`);
    };
    const succeeded = jobs.filter(({ status }) => status === 'succeeded');
    const inReview = jobs.filter(({ status }) => status === 'needs_review');
    if (jobs.some(({ status }) => !isSettled(status) || (isEnded(status) && status !== 'succeeded')))
      fail('a job did not come to a good end');
    const ids = new Set(this.provider.records.map(({ id }) => id));
    const taken = succeeded.map((job) => remoteIdOf(job));
    if (new Set(taken).size !== taken.length) fail('two jobs believe that one record is theirs');
    if (taken.some((id) => id === undefined || !ids.has(id))) fail('a job succeeded without a record');
    const unclaimed = [...ids].filter((id) => !taken.includes(id)).length;
    if (unclaimed > inReview.length) fail('more records than jobs');
    if (this.setting.marker && inReview.length > 0) fail('in doubt although every record carries a marker');
  }
}

const remoteIdOf = (job: JobRecord): string | undefined => {
  const { result } = job;
  return typeof result === 'object' && result !== null && 'id' in result ? String(result.id) : undefined;
};

const describe = (job: JobRecord) =>
  `${job.id}: ${job.status} ${JSON.stringify({ n: job.attemptNumber, result: job.result, unknown: job.unknownSends.length })}`;

/** Enough turns for any chain of awaits between two points. */
async function drainMicrotasks(): Promise<void> {
  for (let i = 0; i < 40; i++) await undefined;
}
