import { AppError } from '../app-error.ts';
import { findDefaults } from '../domain/apply-defaults.ts';
import type { FieldFailure, Warning } from '../domain/failure.ts';
import type { AccountFacts, AccountSettings } from '../domain/integrated-account.ts';
import type { JobRequest } from '../domain/job.ts';
import type { OpportunityInput } from '../domain/opportunity.ts';
import { isErrorCode } from '../errors.ts';
import { findKey } from '../providers/merge-remote-data.ts';
import type { ProviderDescriptor, RequiredField, WritePlan } from '../providers/port.ts';

export type PlanQuestion = {
  descriptor: ProviderDescriptor;
  settings: AccountSettings;
  body: OpportunityInput;
  query: Pick<JobRequest['query'], 'on_unsupported' | 'remote_query'>;
  facts: AccountFacts | undefined;
  jobId: string;
  nowMs: number;
};

type Found = {
  appliedDefaults: Partial<OpportunityInput>;
  warnings: Warning[];
  /** What newer live values might cure; it refuses nothing by itself. */
  stale: FieldFailure[];
};

export type Planned =
  /** `plan` is absent when something is stale: the worker will refresh and see. */
  | ({ ok: true; plan: WritePlan | undefined } & Found)
  | ({ ok: false; error: AppError; failures: FieldFailure[] } & Found);

/**
 * What the worker would do with a create, before it is accepted: defaults, required fields, the provider's mapping and
 * what `on_unsupported` says. Pure. A failure that newer live values might cure refuses nothing here.
 */
export function planOpportunity(question: PlanQuestion): Planned {
  const { descriptor, settings, body, query, facts } = question;
  const defaults = findDefaults(body, settings.defaults, question.nowMs);
  const opportunity = { ...body, ...defaults };
  const mapped = descriptor.plan({
    opportunity,
    settings,
    facts,
    remoteQuery: query.remote_query ?? {},
    marker: settings.marker ? { ...settings.marker, value: question.jobId } : undefined,
  });
  const mode = query.on_unsupported ?? settings.on_unsupported ?? 'warn';
  const unsupported = mapped.unsupported.filter((one) => !isMoot(one, body));
  const refused = mode === 'reject' ? unsupported : [];
  const warnings: Warning[] = [
    ...(mapped.ok ? mapped.warnings : []),
    ...(mode === 'warn' ? unsupported : []),
  ];
  const missing = descriptor.required.filter((field) => isMissing(field, opportunity));
  const invalid = mapped.ok || mapped.staleFacts ? [] : mapped.failures.filter(isOther(missing));
  const { currency, ...others } = defaults;
  const found: Found = {
    appliedDefaults: mapped.unsupported.some((one) => isMoot(one, body)) ? others : defaults,
    warnings,
    stale: !mapped.ok && mapped.staleFacts ? mapped.failures.filter(isOther(missing)) : [],
  };
  const failures = [...missing.map(toFailure), ...invalid, ...refused];
  if (failures.length > 0) {
    return { ok: false, error: toError(missing, invalid, failures), failures, ...found };
  }
  return { ok: true, plan: mapped.ok ? mapped.plan : undefined, ...found };
}

/** The account's currency is meant for amounts: where there is none nobody asked for it, and it was not applied. */
const isMoot = ({ code }: Warning, body: OpportunityInput) =>
  code === 'currency_without_amount' && body.currency === undefined;

/** Neither the unified field nor any of the provider's own keys in `remote_data` gives it. */
function isMissing(field: RequiredField, opportunity: OpportunityInput): boolean {
  if (field.isGiven(opportunity)) return false;
  return !field.remoteKeys.some((path) => hasPath(opportunity.remote_data, path));
}

function hasPath(value: unknown, path: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  // An object: its keys are text. A key in another case satisfies Salesforce; elsewhere the provider will say.
  const object = value as Record<string, unknown>;
  const literal = findKey(object, path, true);
  if (literal !== undefined) return (object[literal] ?? '') !== '';
  const dot = path.indexOf('.');
  if (dot === -1) return false;
  const head = findKey(object, path.slice(0, dot), true);
  return head !== undefined && hasPath(object[head], path.slice(dot + 1));
}

const toFailure = ({ pointer, message }: RequiredField): FieldFailure => ({
  pointer,
  code: 'missing_required_fields',
  message,
});

/** A mapping names what it misses too. */
const isOther = (missing: RequiredField[]) => (failure: FieldFailure) =>
  failure.code !== 'missing_required_fields' || !missing.some(({ pointer }) => pointer === failure.pointer);

function toError(missing: RequiredField[], invalid: FieldFailure[], failures: FieldFailure[]): AppError {
  const named = failures.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
  // What is needed only beside another field (an amount's currency) the mapping finds out.
  const besides = invalid.filter(({ code }) => code === 'missing_required_fields');
  const fields = new Set<string>(missing.map(({ field }) => field));
  for (const { pointer } of besides) fields.add(pointer.split('/')[1] ?? pointer);
  if (fields.size > 0) {
    return new AppError(
      'missing_required_fields',
      `Required fields are missing: ${[...fields].join(', ')}.`,
      {
        failures,
        insight: {
          missing_required_body_fields: {
            description: 'Fields the provider cannot do without; send them, or set defaults on the account.',
            value: [...fields],
          },
        },
      },
    );
  }
  if (invalid.length === 0)
    return new AppError('unsupported_field', `The provider has no place for this: ${named}`, { failures });
  const codes = new Set(invalid.map(({ code }) => code));
  const [only = ''] = codes;
  // A single specific reason (stage_not_found) is the error's own code; a mixture is an invalid body.
  const code = codes.size === 1 && isErrorCode(only) ? only : 'invalid_body';
  return new AppError(code, `The body is not usable: ${named}`, { failures });
}
