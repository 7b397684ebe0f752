/**
 * The organisation every Close key of the sandbox belongs to. Ids are readable and never change, so that tests
 * and demos can name them.
 */
export type StatusType = 'active' | 'won' | 'lost';
export type User = { id: string; firstName: string; lastName: string; email: string; isAdmin: boolean };
export type Lead = { id: string; name: string; contactIds: string[]; createdMs: number };
export type Contact = { id: string; leadId: string; name: string; title: string; email: string };
export type Pipeline = { id: string; name: string };
export type Status = { id: string; label: string; type: StatusType; pipelineId: string };
export type CustomFieldType = 'text' | 'number' | 'date' | 'datetime' | 'choices' | 'user' | 'contact';
export type CustomField = {
  id: string;
  name: string;
  type: CustomFieldType;
  acceptsMultiple: boolean;
  choices: string[] | null;
  isShared: boolean;
};

export const ORGANISATION_ID = 'orga_Demo';
export const ORGANISATION_NAME = 'Demo Trading';

/** Everything seeded existed on this day. */
export const SEEDED_MS = Date.UTC(2025, 0, 6, 8, 0, 0);

/** Leads without contacts, so that benchmarks can spread their writes: lead_Account0001 … lead_Account1000. */
const PLAIN_LEADS = 1000;

export const FIRST_USER_ID = 'user_Ann';

export function seedUsers(): Map<string, User> {
  return byId<User>([
    { id: FIRST_USER_ID, firstName: 'Ann', lastName: 'Seller', email: 'ann@demo.example', isAdmin: true },
    { id: 'user_Bob', firstName: 'Bob', lastName: 'Closer', email: 'bob@demo.example', isAdmin: false },
    { id: 'user_Cleo', firstName: 'Cleo', lastName: 'Hunter', email: 'cleo@demo.example', isAdmin: false },
  ]);
}

export function seedLeads(): Map<string, Lead> {
  const leads = byId<Lead>([
    seedLead('lead_Northwind', 'Northwind', ['cont_NorthwindNora', 'cont_NorthwindNils']),
    seedLead('lead_Contoso', 'Contoso', ['cont_ContosoCarl']),
    seedLead('lead_Fabrikam', 'Fabrikam', ['cont_FabrikamFay']),
    seedLead('lead_Initech', 'Initech', ['cont_InitechIvan']),
    seedLead('lead_Umbrella', 'Umbrella', ['cont_UmbrellaUma']),
  ]);
  for (let number = 1; number <= PLAIN_LEADS; number += 1) {
    const suffix = String(number).padStart(4, '0');
    leads.set(`lead_Account${suffix}`, seedLead(`lead_Account${suffix}`, `Account ${suffix}`, []));
  }
  return leads;
}

export function seedContacts(): Map<string, Contact> {
  return byId<Contact>([
    seedContact('cont_NorthwindNora', 'lead_Northwind', 'Nora North'),
    seedContact('cont_NorthwindNils', 'lead_Northwind', 'Nils Nord'),
    seedContact('cont_ContosoCarl', 'lead_Contoso', 'Carl Conto'),
    seedContact('cont_FabrikamFay', 'lead_Fabrikam', 'Fay Fabri'),
    seedContact('cont_InitechIvan', 'lead_Initech', 'Ivan Init'),
    seedContact('cont_UmbrellaUma', 'lead_Umbrella', 'Uma Umber'),
  ]);
}

export function seedPipelines(): Map<string, Pipeline> {
  return byId<Pipeline>([
    { id: 'pipe_Sales', name: 'Sales' },
    { id: 'pipe_Renewals', name: 'Renewals' },
  ]);
}

/** Creation order matters: the first status of the organisation, or of a pipeline, is its default. */
export function seedStatuses(): Map<string, Status> {
  return byId<Status>([
    { id: 'stat_SalesQualified', label: 'Qualified', type: 'active', pipelineId: 'pipe_Sales' },
    { id: 'stat_SalesProposal', label: 'Proposal', type: 'active', pipelineId: 'pipe_Sales' },
    { id: 'stat_SalesWon', label: 'Won', type: 'won', pipelineId: 'pipe_Sales' },
    { id: 'stat_SalesLost', label: 'Lost', type: 'lost', pipelineId: 'pipe_Sales' },
    { id: 'stat_RenewalsReview', label: 'Review', type: 'active', pipelineId: 'pipe_Renewals' },
    { id: 'stat_RenewalsProposal', label: 'Proposal', type: 'active', pipelineId: 'pipe_Renewals' },
    { id: 'stat_RenewalsRenewed', label: 'Renewed', type: 'won', pipelineId: 'pipe_Renewals' },
    { id: 'stat_RenewalsChurned', label: 'Churned', type: 'lost', pipelineId: 'pipe_Renewals' },
  ]);
}

export function seedCustomFields(): Map<string, CustomField> {
  return byId<CustomField>([
    seedField('cf_Reference', 'External Reference', 'text'),
    seedField('cf_Seats', 'Seats', 'number'),
    seedField('cf_Renewal', 'Renewal Date', 'date'),
    seedField('cf_Source', 'Source', 'choices', { choices: ['Web', 'Referral', 'Event'] }),
    seedField('cf_Products', 'Products', 'choices', {
      choices: ['Basic', 'Plus', 'Support'],
      acceptsMultiple: true,
    }),
    seedField('cf_Engineer', 'Sales Engineer', 'user'),
    seedField('cf_Approver', 'Approver', 'contact'),
    seedField('cf_Region', 'Region', 'text', { isShared: true }),
  ]);
}

/** A record of several of the organisation, kept in creation order. */
function byId<Item extends { id: string }>(items: Item[]): Map<string, Item> {
  return new Map(items.map((item) => [item.id, item]));
}

function seedLead(id: string, name: string, contactIds: string[]): Lead {
  return { id, name, contactIds, createdMs: SEEDED_MS };
}

function seedContact(id: string, leadId: string, name: string): Contact {
  const email = `${name.toLowerCase().replace(' ', '.')}@${leadId.slice('lead_'.length).toLowerCase()}.example`;
  return { id, leadId, name, title: 'Buyer', email };
}

function seedField(
  id: string,
  name: string,
  type: CustomFieldType,
  options: { choices?: string[]; acceptsMultiple?: boolean; isShared?: boolean } = {},
): CustomField {
  const { choices = null, acceptsMultiple = false, isShared = false } = options;
  return { id, name, type, acceptsMultiple, choices, isShared };
}
