import type { AccountFacts, CustomFieldFact } from '../domain/integrated-account.ts';
import { isSame } from './resolve-stage.ts';

export type FoundCustomField =
  | { kind: 'one'; fact: CustomFieldFact }
  | { kind: 'none' }
  | { kind: 'several'; facts: CustomFieldFact[] };

/** The custom field a caller means by its key, or by its label where only one field has it. */
export function findCustomField(key: string, facts: AccountFacts): FoundCustomField {
  const byKey = facts.customFields.find((fact) => fact.key === key);
  if (byKey) return { kind: 'one', fact: byKey };
  const [only, ...others] = facts.customFields.filter((fact) => isSame(fact.label, key));
  if (only === undefined) return { kind: 'none' };
  return others.length === 0 ? { kind: 'one', fact: only } : { kind: 'several', facts: [only, ...others] };
}

/** Whose custom field names look like this; undefined when it could be anybody's. */
export function guessForeignOwner(key: string): 'Salesforce' | 'Close' | undefined {
  if (/__[a-z]{1,3}$/i.test(key)) return 'Salesforce';
  return /^(?:custom\.)?cf_\w+$/.test(key) ? 'Close' : undefined;
}

/** "Budget (cf_1), Region (cf_2)", for messages. */
export function listCustomFields(facts: CustomFieldFact[]): string {
  const listed = facts.slice(0, 50).map(({ key, label }) => `${label} (${key})`);
  return listed.length === 0 ? 'none' : `${listed.join(', ')}${facts.length > 50 ? ', …' : ''}`;
}
