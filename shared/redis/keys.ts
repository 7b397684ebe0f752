/**
 * Every Redis key is built here. `{n}` is the partition's hash tag, so that all keys of an account sit in one
 * cluster slot and one script can touch them together. `A` = account id, `J` = job id.
 *
 * | key                         | type   | holds                                                       | ends |
 * |-----------------------------|--------|-------------------------------------------------------------|------|
 * | P:partitions                | string | number of partitions, written at first start                | never |
 * | P:{n}:accounts              | set    | account ids of the partition                                | with the account |
 * | P:{n}:account:A             | hash   | the account; see stores/account-store.ts                    | with the account |
 * | P:{n}:facts:A               | string | JSON, live values read from the provider                    | 24 h |
 * | P:{n}:jobs:A                | zset   | every job id of the account, score 0 (lexical = by time)    | swept |
 * | P:{n}:jobs:A:STATUS         | zset   | job ids in a status other than succeeded, score 0           | moved with the status |
 * | P:{n}:job:J                 | hash   | the job record; see domain/job.ts                           | retention after its end |
 * | P:{n}:idem:A:SHA            | string | `fingerprint job-id`                                        | with its job |
 * | P:{n}:claim:A:REMOTE        | string | id of the job that wrote (or adopted) this record           | retention |
 * | P:{n}:claims:A:PERIOD:BUCKET | hash | the same for rows of imports that have ended: 11 characters of SHA(REMOTE) → job id | retention after its last use |
 * | P:{n}:alike:A:FINGERPRINT   | set    | open jobs without marker that may have made such a record   | retention |
 * | P:{n}:unsettled:A:PARENT    | set    | jobs whose create under this parent is lost                 | retention |
 * | P:{n}:open                  | zset   | `A J` of every open job that needs an engine job → when to look next (ms) | at the job's end |
 * | P:{n}:active                | zset   | queue name → when it next needs a worker (ms)               | when its queue is empty |
 * | P:{n}:gate:A                | hash   | pace, budget, blocks, circuit                               | 48 h unused (49 at most) |
 * | P:{n}:gate:A:leases         | zset   | lease → when it expires (ms)                                | 48 h unused (49 at most) |
 * | P:{n}:gate:A:parent:PARENT  | hash   | after a row lock: writes allowed at once (cap), leases       | 10 min unused |
 * | P:{n}:refresh:A             | string | single-flight lock of a token refresh                       | 30 s |
 * | P:{n}:import:I              | hash   | an import; see domain/import.ts                             | retention after its end |
 * | P:{n}:import:I:rows:K       | string | its rows 200 K + 1 …: gzip of NDJSON                        | with the import |
 * | P:{n}:import:I:results:K    | hash   | row in the chunk → its result                               | with the import |
 * | P:{n}:import:I:window       | zset   | rows that are jobs now, score = row                         | at its end |
 * | P:{n}:import:I:batches      | hash   | chunk → JSON of the batch under way: its rows, sends, whether it is in doubt | at its end |
 * | P:{n}:import:I:bulk         | hash   | the bulk job under way: its rows and how far it has come    | at its end |
 * | P:{n}:imports:A             | zset   | import ids of the account, score 0 (lexical = by time)      | swept |
 * | P:{n}:imports:A:open        | set    | those that have not ended                                   | at their end |
 * | P:{n}:imports:open          | zset   | `A I` of every open import → when to look next (ms)         | at the import's end |
 * | P:{n}:import-key:A:SHA      | string | `fingerprint import-id` of an idempotency key               | with its import |
 * | P:{n}:dedupe:A:BUCKET       | hash   | dedupe key (64 bits of its SHA) → row that has it           | retention after its last use |
 * | P:{n}:answer:ID             | string | JSON answer of an account query                             | 60 s |
 * | P:{n}:A:…, P:{n}:queries:…  | BullMQ | queues; a queue of an account is named by its id            | BullMQ |
 * | P:{n}:wh-E:…                | BullMQ | deliveries to webhook endpoint E                            | BullMQ |
 * | P:{t}:event:ID              | hash   | an event: a job as it was, or `kind` json; t = n or `webhooks` | 34 days |
 * | P:{t}:event:A, …:event:E    | string | counts the events of an account or endpoint                 | never |
 * | P:{t}:outbox                | zset   | event id → when it was written (ms), until it is fanned out | at its fan-out |
 * | P:{n}:delivery:D            | hash   | a delivery; see stores/delivery-store.ts                    | 30 days |
 * | P:{n}:deliveries:E          | zset   | delivery id → when its event was (ms)                       | 30 days |
 * | P:{n}:pending               | zset   | delivery id → when the sweep looks for its engine job (ms)  | at its end |
 * | P:{n}:health:E              | hash   | failing_since, last_failure, blocked, replay_at (ms)        | 30 days |
 * | P:{webhooks}:endpoint:E     | hash   | a webhook endpoint; see stores/webhook-store.ts             | with the endpoint |
 * | P:{webhooks}:endpoints:W    | set    | endpoint ids of a workspace                                 | with the endpoint |
 * | P:{webhooks}:callback:W     | string | sealed secret that signs the callbacks of a workspace       | never |
 * | P:{tokens}:token:SHA        | hash   | an API token                                                | with the token |
 * | P:{tokens}:ids              | hash   | token id → SHA                                              | with the token |
 * | P:epoch                     | hash   | n, at (ms), server: see stores/epoch-store.ts                | never |
 * | P:stopped                   | zset   | `limit|outage PROVIDER A` → until when an account is not called (ms) | swept |
 * | P:workers                   | zset   | worker process → last seen (ms)                             | swept |
 *
 * Channels: P:bell (a queue needs a worker), P:make-way (account A has a single create, and bulk work), P:done:J (a job's status changed), P:account (an account changed),
 * P:answered:ID (an account query was answered), P:webhooks (`W E`: endpoint E of workspace W changed).
 */
export type Keys = ReturnType<typeof createKeys>;

export function createKeys(prefix: string) {
  const tag = (partition: number) => `${prefix}:{${partition}}`;
  return {
    partitions: `${prefix}:partitions`,
    workers: `${prefix}:workers`,
    stopped: `${prefix}:stopped`,
    epoch: `${prefix}:epoch`,
    /** Prefix given to BullMQ: its queues share the partition's slot. */
    queuePrefix: tag,
    accounts: (p: number) => `${tag(p)}:accounts`,
    account: (p: number, account: string) => `${tag(p)}:account:${account}`,
    /** Workspace of an account that is gone: what it left behind is found by its id. */
    formerOwner: (p: number, account: string) => `${tag(p)}:account:${account}:former`,
    facts: (p: number, account: string) => `${tag(p)}:facts:${account}`,
    jobs: (p: number, account: string) => `${tag(p)}:jobs:${account}`,
    jobsIn: (p: number, account: string, status: string) => `${tag(p)}:jobs:${account}:${status}`,
    job: (p: number, job: string) => `${tag(p)}:job:${job}`,
    idempotency: (p: number, account: string, keyHash: string) => `${tag(p)}:idem:${account}:${keyHash}`,
    claim: (p: number, account: string, remoteId: string) => `${tag(p)}:claim:${account}:${remoteId}`,
    claims: (p: number, account: string, period: number, bucket: string) =>
      `${tag(p)}:claims:${account}:${period}:${bucket}`,
    alike: (p: number, account: string, fingerprint: string) => `${tag(p)}:alike:${account}:${fingerprint}`,
    unsettled: (p: number, account: string, parent: string) => `${tag(p)}:unsettled:${account}:${parent}`,
    open: (p: number) => `${tag(p)}:open`,
    active: (p: number) => `${tag(p)}:active`,
    gate: (p: number, account: string) => `${tag(p)}:gate:${account}`,
    leases: (p: number, account: string) => `${tag(p)}:gate:${account}:leases`,
    parentLocks: (p: number, account: string, parent: string) => `${tag(p)}:gate:${account}:parent:${parent}`,
    refreshLock: (p: number, account: string) => `${tag(p)}:refresh:${account}`,
    import: (p: number, id: string) => `${tag(p)}:import:${id}`,
    importRows: (p: number, id: string, chunk: number) => `${tag(p)}:import:${id}:rows:${chunk}`,
    importResults: (p: number, id: string, chunk: number) => `${tag(p)}:import:${id}:results:${chunk}`,
    importBatches: (p: number, id: string) => `${tag(p)}:import:${id}:batches`,
    importBulk: (p: number, id: string) => `${tag(p)}:import:${id}:bulk`,
    importWindow: (p: number, id: string) => `${tag(p)}:import:${id}:window`,
    imports: (p: number, account: string) => `${tag(p)}:imports:${account}`,
    importsOpenOf: (p: number, account: string) => `${tag(p)}:imports:${account}:open`,
    importsOpen: (p: number) => `${tag(p)}:imports:open`,
    importKey: (p: number, account: string, keyHash: string) => `${tag(p)}:import-key:${account}:${keyHash}`,
    dedupe: (p: number, account: string, bucket: string) => `${tag(p)}:dedupe:${account}:${bucket}`,
    answer: (p: number, id: string) => `${tag(p)}:answer:${id}`,
    token: (hash: string) => `${prefix}:{tokens}:token:${hash}`,
    tokenIds: `${prefix}:{tokens}:ids`,
    bell: `${prefix}:bell`,
    makeWay: `${prefix}:make-way`,
    done: (job: string) => `${prefix}:done:${job}`,
    accountChanged: `${prefix}:account`,
    answered: (id: string) => `${prefix}:answered:${id}`,
    event: (tag: EventTag, id: string) => `${prefix}:{${tag}}:event:${id}`,
    outbox: (tag: EventTag) => `${prefix}:{${tag}}:outbox`,
    delivery: (p: number, id: string) => `${tag(p)}:delivery:${id}`,
    deliveries: (p: number, endpoint: string) => `${tag(p)}:deliveries:${endpoint}`,
    pending: (p: number) => `${tag(p)}:pending`,
    health: (p: number, endpoint: string) => `${tag(p)}:health:${endpoint}`,
    endpoint: (id: string) => `${prefix}:{webhooks}:endpoint:${id}`,
    endpoints: (workspace: string) => `${prefix}:{webhooks}:endpoints:${workspace}`,
    callbackSecret: (workspace: string) => `${prefix}:{webhooks}:callback:${workspace}`,
    webhooksChanged: `${prefix}:webhooks`,
  };
}

/** Queue of account queries in each partition. */
export const QUERY_QUEUE = 'queries';

/** Where an event is kept: beside the record it tells of, so that both are one write. */
export type EventTag = number | 'webhooks';

const DELIVERY_QUEUE = 'wh-';

/** Queue of one webhook endpoint. */
export function deliveryQueueOf(endpoint: string): string {
  return `${DELIVERY_QUEUE}${endpoint}`;
}

export function isDeliveryQueue(name: string): boolean {
  return name.startsWith(DELIVERY_QUEUE);
}
