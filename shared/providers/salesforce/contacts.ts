import type { FieldFailure, Warning } from '../../domain/failure.ts';
import type { OpportunityInput } from '../../domain/opportunity.ts';
import type { FollowUp } from '../port.ts';
import { type Draft, joinDrafts } from './draft.ts';
import { findIdFault, isSameId, KEY_PREFIXES, toId18 } from './record-id.ts';

export type MappedContacts = Required<Draft> & { followUps: FollowUp[] };

/** The first contact: `ContactId` of the create, the primary role behind it, or a role like the others. */
export type FirstContact = 'in_create' | 'primary_role' | 'plain_role';

/**
 * Contacts of an opportunity. The first one may travel in the create as `ContactId`, which Salesforce turns into the
 * primary contact role in the same transaction; all others are contact roles inserted afterwards.
 *
 * `ContactId` can be set at creation only, so it must stay out of a body that may be sent twice (an upsert).
 * @see https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
 * @see https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunitycontactrole.htm
 */
export function mapContacts(contacts: OpportunityInput['contact'], first: FirstContact): MappedContacts {
  const failures: FieldFailure[] = [];
  const warnings: Warning[] = [];
  const kept: { id: string; pointer: string }[] = [];
  for (const [index, { id }] of (contacts ?? []).entries()) {
    const pointer = `/contact/${index}`;
    const fault = findIdFault(id, KEY_PREFIXES.contact, 'contact');
    if (fault !== undefined)
      failures.push({ pointer: `${pointer}/id`, code: 'invalid_body', message: fault });
    else if (kept.some((earlier) => isSameId(earlier.id, id)))
      warnings.push({
        code: 'duplicate_contact',
        pointer,
        message: `the contact ${id} is given twice; once is used`,
      });
    else kept.push({ id, pointer });
  }
  const [main] = kept;
  const body = first === 'in_create' && main !== undefined ? { ContactId: main.id } : {};
  const followUps = kept
    .slice(first === 'in_create' ? 1 : 0)
    .map(({ id, pointer }, index) => contactRole(id, pointer, first === 'primary_role' && index === 0));
  return { ...joinDrafts([{ body, failures, warnings }]), followUps };
}

function contactRole(id: string, pointer: string, isPrimary: boolean): FollowUp {
  const contactId = toId18(id);
  return {
    key: `contact_role:${contactId}`,
    describes: `the ${isPrimary ? 'primary contact' : 'contact'} ${contactId} of the opportunity`,
    pointer,
    data: { contactId, isPrimary },
  };
}
