import type { AccountFacts, AccountSettings } from '../../domain/integrated-account.ts';
import { fromMinorUnits, toMinorUnits } from '../../domain/money.ts';
import type { OpportunityInput, UnifiedField } from '../../domain/opportunity.ts';
import { type Draft, failed } from './draft.ts';
import { findIdFault, KEY_PREFIXES } from './record-id.ts';

/** Characters of `Opportunity.Name` and `Opportunity.Description`. */
export const NAME_CHARS_MAX = 120;
export const DESCRIPTION_CHARS_MAX = 32_000;

/** `Amount` has 18 digits, 2 of them decimals. */
const AMOUNT_BELOW = 1e16;
const AMOUNT_DECIMALS = 2;
/** Up to here two numbers of cents are never the same JSON number. */
const CENTS_EXACT_BELOW = 1e13;

/** `Name`. Too long is refused here as Salesforce would: it cuts nothing. Length is counted in code points. */
export function mapName(name: string | undefined): Draft {
  if (name === undefined) return {};
  if (name.trim() === '') return failed('/name', 'must not be blank');
  const length = [...name].length;
  if (length > NAME_CHARS_MAX) {
    return failed('/name', `must have at most ${NAME_CHARS_MAX} characters in Salesforce; it has ${length}`);
  }
  return { body: { Name: name } };
}

/** `Description`. */
export function mapDescription(description: string | undefined): Draft {
  if (description === undefined) return {};
  const length = [...description].length;
  if (length > DESCRIPTION_CHARS_MAX) {
    return failed(
      '/description',
      `must have at most ${DESCRIPTION_CHARS_MAX} characters in Salesforce; it has ${length}`,
    );
  }
  return { body: { Description: description } };
}

/** `CloseDate`: the date part as written. It is never shifted by the offset, a moment is not what was asked for. */
export function mapCloseDate(closeDate: string | undefined): Draft {
  return closeDate === undefined ? {} : { body: { CloseDate: closeDate.slice(0, 10) } };
}

/** `Amount` as the JSON number given; Salesforce keeps two decimals whatever the currency. */
export function mapAmount(amount: number | undefined): Draft {
  if (amount === undefined) return {};
  if (amount >= AMOUNT_BELOW)
    return failed('/amount', 'must have at most 16 digits before the decimal point');
  const stored = roundAmount(amount);
  if (stored === amount) return { body: { Amount: amount } };
  const message = `Salesforce keeps ${AMOUNT_DECIMALS} decimals: ${amount} is stored as ${stored}`;
  return {
    body: { Amount: amount },
    warnings: [{ code: 'amount_rounded', pointer: '/amount', message }],
  };
}

/** The amount as Salesforce stores it: two decimals, half up, of the decimal text (1.005 becomes 1.01). */
export function roundAmount(amount: number): number {
  // Nearly every amount: it is the very number that a whole number of cents makes, so its text has two decimals at most.
  if (Math.abs(amount) < CENTS_EXACT_BELOW && Math.round(amount * 100) / 100 === amount) return amount;
  const { minor, exact } = toMinorUnits(amount, AMOUNT_DECIMALS);
  return exact ? amount : fromMinorUnits(minor, AMOUNT_DECIMALS);
}

/** `OwnerId` and `AccountId`. */
export function mapReferences(opportunity: OpportunityInput): Draft[] {
  return [
    mapReference(opportunity.owner?.id, 'OwnerId', '/owner/id', KEY_PREFIXES.user, 'user'),
    mapReference(opportunity.account?.id, 'AccountId', '/account/id', KEY_PREFIXES.account, 'account'),
  ];
}

function mapReference(
  id: string | undefined,
  field: string,
  pointer: string,
  prefix: string,
  label: string,
): Draft {
  if (id === undefined) return {};
  const fault = findIdFault(id, prefix, label);
  return fault === undefined ? { body: { [field]: id } } : failed(pointer, fault);
}

/** Whether records of the organisation have a currency of their own; nobody knows before its live values were read. */
const hasCurrencies = (facts: AccountFacts | undefined) =>
  (facts?.currency.mode ?? 'per_record') === 'per_record';

const mayWriteCreatedAt = (settings: AccountSettings) => settings.salesforce?.audit_fields === true;

/** {@link ProviderDescriptor.unsupportedIn}. */
export function unsupportedIn(settings: AccountSettings, facts: AccountFacts): UnifiedField[] {
  return [
    ...(hasCurrencies(facts) ? [] : (['currency'] as const)),
    ...(mayWriteCreatedAt(settings) ? [] : (['created_at'] as const)),
  ];
}

/** `CurrencyIsoCode`, which exists only in organisations with several currencies. */
export function mapCurrency(currency: string | undefined, facts: AccountFacts | undefined): Draft {
  if (currency === undefined) return {};
  if (facts === undefined || hasCurrencies(facts)) {
    const allowed = facts?.currency.allowed;
    if (allowed !== undefined && !allowed.includes(currency)) {
      const message = `is not an active currency of the organisation; it has ${allowed.join(', ')}`;
      return { ...failed('/currency', message), staleFacts: true };
    }
    return { body: { CurrencyIsoCode: currency } };
  }
  const own = facts.currency.code;
  const message =
    own === undefined
      ? 'this Salesforce organisation keeps all amounts in its one currency'
      : own === currency
        ? `this Salesforce organisation keeps all amounts in ${own} anyway`
        : `this Salesforce organisation keeps all amounts in ${own}: the amount will read as ${own}`;
  return { unsupported: [{ pointer: '/currency', code: 'unsupported_field', message }] };
}

/**
 * `CreatedDate`, writable only with the permission "Set Audit Fields upon Record Creation", which the account's
 * `salesforce.audit_fields` vouches for. A date without a time is midnight UTC.
 * @see https://help.salesforce.com/s/articleView?id=000386875&type=1
 */
export function mapCreatedAt(createdAt: string | undefined, settings: AccountSettings): Draft {
  if (createdAt === undefined) return {};
  if (!mayWriteCreatedAt(settings)) {
    const message =
      'Salesforce sets the creation time itself, unless the user may set audit fields and settings.salesforce.audit_fields says so';
    return { unsupported: [{ pointer: '/created_at', code: 'unsupported_field', message }] };
  }
  return { body: { CreatedDate: new Date(createdAt).toISOString() } };
}

/** Tags: the Opportunity has no such field. */
export function mapTags(tags: OpportunityInput['tags']): Draft {
  if (tags === undefined || tags.length === 0) return {};
  const message = 'a Salesforce Opportunity has no field for tags';
  return { unsupported: [{ pointer: '/tags', code: 'unsupported_field', message }] };
}
