import type { OpportunityInput } from '../../domain/opportunity.ts';
import type { MappingNotes } from '../mapping-notes.ts';
import type { FollowUp } from '../port.ts';
import { toId } from './ids.ts';

/**
 * The main contact of an opportunity is one party, a person or an organisation: the account, else the first
 * contact. @see https://developer.capsulecrm.com/v2/models/opportunity
 */
export function partyOf({ account, contact }: OpportunityInput, notes: MappingNotes): number | undefined {
  if (account) return toId(account.id, '/account/id', 'party', notes);
  return toId(contact?.[0]?.id, '/contact/0/id', 'party', notes);
}

/** Every contact but the main one costs a call of its own after the create. */
export function mapContacts(opportunity: OpportunityInput, party: unknown, notes: MappingNotes): FollowUp[] {
  const seen = new Set<string>();
  return (opportunity.contact ?? []).flatMap(({ id }, index): FollowUp[] => {
    const pointer = `/contact/${index}`;
    if (seen.has(id)) {
      notes.warnings.push({ code: 'duplicate_contact', pointer, message: `"${id}" is given more than once` });
      return [];
    }
    seen.add(id);
    if (id === String(party)) return [];
    // Without an account, contact 0 has been checked as the party already.
    const isChecked = index === 0 && opportunity.account === undefined;
    const partyId = isChecked ? Number(id) : toId(id, `${pointer}/id`, 'party', notes);
    if (partyId === undefined || Number.isNaN(partyId)) return [];
    return [
      { key: `party:${id}`, describes: `contact ${id} of the opportunity`, pointer, data: { partyId } },
    ];
  });
}
