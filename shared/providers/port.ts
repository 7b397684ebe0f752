/**
 * What a CRM connector is. A provider is a folder that exports one {@link ProviderDescriptor} with pure
 * mapping and failures (importable by the API), and one {@link ProviderClient} (worker only).
 * No other file knows a provider by name. Types only, in one file: whoever writes a connector reads them from top to end.
 */

import type { FieldFailure, Unsupported, Warning, WriteOutcome } from '../domain/failure.ts';
import type {
  AccountFacts,
  AccountSettings,
  ProviderName,
  StoredCredentials,
} from '../domain/integrated-account.ts';
import type { Opportunity, OpportunityInput, UnifiedField } from '../domain/opportunity.ts';

/** Why a call is made: it decides priority at the gate and how its failure reads. */
export type CallPurpose = 'create' | 'probe' | 'read_back' | 'follow_up' | 'look_up' | 'token' | 'check';

/** One HTTP request to a provider, before authentication. Plain data: dry runs show it, tests compare it. */
export type ProviderRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path below the account's base URL, as `/api/v1/opportunity/`; segments already percent-encoded. */
  path: string;
  /** Appended as is; nested objects and arrays in bracket form (`a[b]=c`, `a[]=1`). */
  query?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** JSON body; a string is sent untouched with the `content-type` given in `headers`. */
  body?: unknown;
  purpose: CallPurpose;
};

export type AnsweredCall = {
  kind: 'answered';
  status: number;
  /** Lower-case names; repeated headers joined by ", ". */
  headers: Record<string, string>;
  /** Parsed JSON when it parses, else the text, else undefined for an empty body. */
  body: unknown;
  /** Our clock when the answer was complete. */
  receivedAtMs: number;
};

/** How a call to a provider ended. Never an exception. */
export type CallResult =
  | AnsweredCall
  /** Provably nothing of the request's body reached the provider. */
  | { kind: 'not_sent'; code: string; message: string }
  /** Bytes left; no usable answer. */
  | { kind: 'unanswered'; code: string; message: string }
  /** The gate (limit, pause, budget, provider down) says when to come back; nothing was sent. */
  | {
      kind: 'deferred';
      untilMs: number;
      reason: 'rate_limited' | 'retry_backoff';
      /** Other jobs of the account may go on. */
      onlyThis?: true;
    }
  /** The grant is dead or refused after one refresh. */
  | { kind: 'needs_reauth'; message: string; status?: number; body?: unknown };

/** Sends one authenticated, paced request for one account. 401 is refreshed and repeated once inside. */
export type Call = (request: ProviderRequest) => Promise<CallResult>;

/** A read that succeeded, or the call that failed it. */
export type Looked<T> = { ok: true; value: T } | { ok: false; result: CallResult };

/** `mayHaveRun`: it was sent, may still be carried out, and would count twice if it were sent again meanwhile. */
export type Followed = Looked<void> & { mayHaveRun?: true };

/** Where the job's id is written inside the provider's record, so that the record can be found again. */
export type Marker = { kind: 'external_id' | 'custom_field' | 'text'; field: string; value: string };

/** A call after the create with its own progress; `key` names it in the job record for ever. */
export type FollowUp = {
  key: string;
  /** Shown in a warning when it finally fails: what is missing at the provider. */
  describes: string;
  /** JSON pointer into our body. */
  pointer: string;
  /** Connector's own data (e.g. `{ partyId }`). */
  data: Record<string, unknown>;
};

export type WritePlan = {
  /** The create itself, marker included. */
  create: ProviderRequest;
  followUps: FollowUp[];
  /**
   * What identifies the record by content when there is no marker: the values as the provider will store them
   * (name, parent, amount, close date, …). Compared by `find`, hashed into the content fingerprint.
   */
  content: Record<string, string | number | null>;
  /** Record under which unknown creates could be confused (Close lead, Capsule party, Salesforce account). */
  parentId?: string;
};

export type MappingInput = {
  /** Account defaults already applied, `remote_data` still inside. */
  opportunity: OpportunityInput;
  settings: AccountSettings;
  /** Undefined when the account's live values are not at hand (accepting): checks that need them are left out. */
  facts: AccountFacts | undefined;
  /** Passed untransformed to the provider's query string. */
  remoteQuery: Record<string, unknown>;
  marker: Marker | undefined;
};

export type MappingResult =
  | {
      ok: true;
      plan: WritePlan;
      warnings: Warning[];
      /** Fields given that this provider (or this account) has no place for; `on_unsupported` decides. */
      unsupported: Unsupported[];
    }
  | {
      ok: false;
      failures: FieldFailure[];
      unsupported: Unsupported[];
      /** True when fresh facts might cure it (a stage added since): refresh once, map again. */
      staleFacts: boolean;
    };

/** Something the provider cannot do without, beside what `remote_data` may supply itself. */
export type RequiredField = {
  field: UnifiedField;
  pointer: string;
  /** Present in the unified body? */
  isGiven: (opportunity: OpportunityInput) => boolean;
  /** Keys of the provider's own body (dotted) any of which satisfies it through `remote_data`. */
  remoteKeys: string[];
  message: string;
};

export type FieldSupport = 'required' | 'supported' | 'unsupported';

/** Limits read from the headers of any answer; all optional, only what was stated. */
export type LearnedLimits = {
  /** Requests allowed per window. */
  limit?: number;
  windowMs?: number;
  remaining?: number;
  /** On our clock. */
  resetAtMs?: number;
  /** A second window that applies as well. */
  ceiling?: { limit: number; windowMs: number };
  /** Rolling daily allocation (Salesforce). */
  daily?: { used: number; max: number };
};

export type FailureRow = {
  id: string;
  /** Sentence for docs and tests: what the provider answers. */
  when: string;
  outcome: WriteOutcome['kind'];
  code: string;
  /** The provider serves nobody now, whatever is asked of it (for `retryable` rows below 500). */
  outage?: true;
  /** Public documentation the row is taken from. */
  source: string;
  /** A sample answer that this row must classify; used by the conformance suite. */
  sample: { status: number; headers?: Record<string, string>; body?: unknown };
};

export type ProviderDescriptor = {
  name: ProviderName;
  label: string;
  /** The provider's documentation of its create call. */
  docsUrl: string;
  support: Record<UnifiedField, FieldSupport>;
  /** Of the fields it supports, those that an account like this has no place for. */
  unsupportedIn?: (settings: AccountSettings, facts: AccountFacts) => UnifiedField[];
  /** Fields of which only the account's live values tell whether it has a place for them. */
  decidedByFacts: readonly UnifiedField[];
  /** One sentence per field where the mapping needs explaining (goes into meta and docs). */
  notes: Partial<Record<UnifiedField, string>>;
  /** Bounds narrower than the unified model's own, in the words of JSON Schema. */
  bounds?: Partial<Record<UnifiedField, Readonly<Record<string, number>>>>;
  required: RequiredField[];
  /** Origins accounts may point at (`*` for one label or a port). */
  allowedOrigins: string[];
  /** Where calls go. Tolerates a base URL given with or without the API path. */
  baseUrl: (credentials: StoredCredentials, settings: AccountSettings) => string;
  /** Marker kinds this provider can carry. */
  markerKinds: Marker['kind'][];
  /** Default pace until headers or settings say otherwise. */
  rateLimit: {
    requests: number;
    perSeconds: number;
    concurrency: number /** burst pace for long windows */;
    paceRequestsPerSecond?: number;
    /** A stated reset is rounded up to such steps. */
    resetStepMs?: number;
  };
  /** How long a lost create may still commit or stay invisible, and how many probes to spread over it. */
  reconcile: { settleMs: number; probes: number };
  /** Whether a second read is needed for the unified answer (false when the create answers the whole record). */
  createAnswersRecord: boolean;
  /** Where a person sees the record. */
  recordUrl: (credentials: StoredCredentials, remoteId: string) => string;
  /** Checks of settings that the schema cannot express (marker kind, foreign settings); pure. */
  checkSettings: (settings: AccountSettings) => FieldFailure[];

  /** Our opportunity → the provider's request. Pure. */
  plan: (input: MappingInput) => MappingResult;
  /** The provider's record (create answer, or what `readBack` returned) → our opportunity. Pure. */
  unify: (record: unknown, facts: AccountFacts | undefined) => Opportunity;
  /** What the record does not hold although it was sent, where the provider leaves things out without a word. Pure. */
  notKept?: (plan: WritePlan, record: unknown) => Warning[];
  /** What an answer to a create (or follow-up) means. Pure; unknown answers are ambiguous. */
  classify: (answer: AnsweredCall, request: ProviderRequest) => WriteOutcome;
  failureTable: FailureRow[];
  /** Pure; ignores what does not parse. */
  readLimits: (headers: Record<string, string>, nowMs: number) => LearnedLimits;
};

/** A token request and how to read its answer. */
export type TokenRequest = { url: string; form: Record<string, string>; headers?: Record<string, string> };
export type TokenReading =
  | { kind: 'tokens'; update: Partial<StoredCredentials> & { access_token: string } }
  | { kind: 'dead'; message: string }
  | { kind: 'retryable'; message: string };

export type Candidate = {
  remoteId: string;
  url: string;
  /** Why it matched, or why not. */
  why: string;
  matches: boolean;
};

export type FindRequest = {
  jobId: string;
  marker: Marker | undefined;
  plan: WritePlan;
  /** Provider's clock (its `Date` header where known) at the earliest ambiguous attempt. */
  sentAtProviderMs: number;
  facts: AccountFacts | undefined;
  credentials: StoredCredentials;
};

export type Found =
  /**
   * `by` says how strong the match is; `candidates` are all records looked at closely. `trustworthy` (by content only):
   * what absence would be worth if every match belonged to another job.
   */
  | {
      kind: 'found';
      by: 'native_key' | 'marker' | 'content';
      candidates: Candidate[];
      trustworthy?: boolean;
    }
  /** `trustworthy`: after the settle time this proves absence. */
  | { kind: 'none'; trustworthy: boolean; candidates: Candidate[] };

/** The I/O half of a connector. Stateless: everything comes as an argument. */
export type ProviderClient = {
  /** Headers that authenticate a call. */
  authorize: (credentials: StoredCredentials) => Record<string, string>;
  /** Undefined: these credentials cannot be refreshed (API key, personal token). */
  tokenRequest: (credentials: StoredCredentials, nowMs: number) => Promise<TokenRequest | undefined>;
  readToken: (answer: AnsweredCall, nowMs: number) => TokenReading;
  fetchFacts: (call: Call, nowMs: number, settings: AccountSettings) => Promise<Looked<AccountFacts>>;
  /** Cheapest call that proves the credentials work; returns who we are. */
  check: (call: Call, settings: AccountSettings) => Promise<Looked<{ user: string; organisation?: string }>>;
  /** The whole record as the provider gives it, with what `unify` needs beside it; undefined when it does not exist. */
  readBack: (call: Call, remoteId: string, settings: AccountSettings) => Promise<Looked<unknown | undefined>>;
  /** Looks before repeating where the provider would double, and says so where a look would come too early. */
  followUp: (
    call: Call,
    remoteId: string,
    followUp: FollowUp,
    settings: AccountSettings,
  ) => Promise<Followed>;
  /** Looks for the record of an ambiguous create by the strongest means the account has. */
  find: (call: Call, request: FindRequest, settings: AccountSettings) => Promise<Looked<Found>>;
};
