/** The account all tokens of the sandbox belong to. Ids never change, so that tests and demos can name them. */
export type User = { id: number; username: string; name: string };
/** Who is in a team decides what may be written, but no call of the API tells it. */
export type Team = { id: number; name: string; memberIds: ReadonlySet<number> };
export type Party =
  | { id: number; type: 'organisation'; name: string }
  | { id: number; type: 'person'; firstName: string; lastName: string; organisationId: number };
export type Pipeline = { id: number; name: string };
export type Milestone = {
  id: number;
  name: string;
  pipelineId: number;
  probability: number;
  /** Closing milestones are complete: won at 100 percent, lost at 0. */
  isComplete: boolean;
};
export type LostReason = { id: number; name: string };
export type Tag = { id: number; name: string; isDataTag: boolean };
export type FieldType = 'text' | 'number' | 'date' | 'list' | 'multiselect' | 'boolean' | 'link';
export type FieldDefinition = {
  id: number;
  name: string;
  type: FieldType;
  isImportant: boolean;
  options: readonly string[] | null;
  /** The data tag the field stands under. */
  tagId: number | null;
};

/** Everything seeded existed on this day. */
export const SEEDED_MS = Date.UTC(2025, 0, 6, 8, 0, 0);
export const FIRST_USER_ID = 61;

/** Organisations without people, so that benchmarks can spread their writes: ids 50001 … 51000. */
const PLAIN_PARTIES = 1000;
const FIRST_PLAIN_PARTY_ID = 50_001;

export function seedUsers(): Map<number, User> {
  return byId<User>([
    { id: FIRST_USER_ID, username: 'ann', name: 'Ann Seller' },
    { id: 62, username: 'bob', name: 'Bob Closer' },
    { id: 63, username: 'cleo', name: 'Cleo Hunter' },
  ]);
}

export function seedTeams(): Map<number, Team> {
  return byId<Team>([
    { id: 701, name: 'Sales', memberIds: new Set([61, 62]) },
    { id: 702, name: 'Renewals', memberIds: new Set([62, 63]) },
  ]);
}

export function seedParties(): Map<number, Party> {
  const parties = byId<Party>([
    { id: 4711, type: 'organisation', name: 'Northwind' },
    { id: 4712, type: 'person', firstName: 'Nora', lastName: 'North', organisationId: 4711 },
    { id: 4713, type: 'person', firstName: 'Nils', lastName: 'Nord', organisationId: 4711 },
    { id: 4721, type: 'organisation', name: 'Contoso' },
    { id: 4722, type: 'person', firstName: 'Carl', lastName: 'Conto', organisationId: 4721 },
    { id: 4731, type: 'organisation', name: 'Fabrikam' },
    { id: 4732, type: 'person', firstName: 'Fay', lastName: 'Fabri', organisationId: 4731 },
  ]);
  for (let number = 0; number < PLAIN_PARTIES; number += 1) {
    const id = FIRST_PLAIN_PARTY_ID + number;
    parties.set(id, { id, type: 'organisation', name: `Account ${String(number + 1).padStart(4, '0')}` });
  }
  return parties;
}

/** The first is the oldest. */
export function seedPipelines(): Map<number, Pipeline> {
  return byId<Pipeline>([
    { id: 31, name: 'Sales' },
    { id: 32, name: 'Renewals' },
  ]);
}

export function seedMilestones(): Map<number, Milestone> {
  return byId<Milestone>([
    { id: 12, name: 'Qualified', pipelineId: 31, probability: 10, isComplete: false },
    { id: 13, name: 'Proposal', pipelineId: 31, probability: 40, isComplete: false },
    { id: 14, name: 'Bid', pipelineId: 31, probability: 50, isComplete: false },
    { id: 15, name: 'Won', pipelineId: 31, probability: 100, isComplete: true },
    { id: 16, name: 'Lost', pipelineId: 31, probability: 0, isComplete: true },
    { id: 22, name: 'Review', pipelineId: 32, probability: 30, isComplete: false },
    { id: 23, name: 'Proposal', pipelineId: 32, probability: 60, isComplete: false },
    { id: 25, name: 'Renewed', pipelineId: 32, probability: 100, isComplete: true },
    { id: 26, name: 'Churned', pipelineId: 32, probability: 0, isComplete: true },
  ]);
}

export function seedLostReasons(): Map<number, LostReason> {
  return byId<LostReason>([
    { id: 41, name: 'Price' },
    { id: 42, name: 'Timing' },
    { id: 43, name: 'Competitor' },
  ]);
}

export function seedTags(): Map<number, Tag> {
  return byId<Tag>([
    { id: 801, name: 'Hot', isDataTag: false },
    { id: 802, name: 'Partner', isDataTag: false },
    { id: 803, name: 'Enterprise', isDataTag: true },
  ]);
}

export function seedDefinitions(): Map<number, FieldDefinition> {
  return byId<FieldDefinition>([
    seedField(901, 'External Reference', 'text'),
    seedField(902, 'Seats', 'number'),
    seedField(903, 'Renewal Date', 'date'),
    seedField(904, 'Source', 'list', { options: ['Web', 'Referral', 'Event'] }),
    seedField(905, 'Products', 'multiselect', { options: ['Basic', 'Plus', 'Support'] }),
    seedField(906, 'Approved', 'boolean'),
    seedField(907, 'Contract', 'link'),
    seedField(908, 'Budget Holder', 'text', { isImportant: true }),
    seedField(951, 'Account Plan', 'text', { tagId: 803 }),
  ]);
}

/** What Capsule offers as currencies, by ISO 4217 code. */
export const CURRENCIES: ReadonlySet<string> = new Set(
  (
    'AED ARS AUD AZN BAM BDT BGN BHD BMD BOB BRL BSD BWP BYN CAD CHF CLP CNY COP CRC CZK DKK DOP DZD EGP ' +
    'ETB EUR FJD GBP GEL GHS GTQ HKD HNL HUF IDR ILS INR ISK JMD JOD JPY KES KHR KRW KWD KZT LBP LKR MAD ' +
    'MDL MUR MXN MYR NAD NGN NOK NPR NZD OMR PEN PHP PKR PLN PYG QAR RON RSD RUB SAR SEK SGD THB TND TRY ' +
    'TWD UAH USD UYU ZAR'
  ).split(' '),
);

function byId<Item extends { id: number }>(items: Item[]): Map<number, Item> {
  return new Map(items.map((item) => [item.id, item]));
}

function seedField(
  id: number,
  name: string,
  type: FieldType,
  given: { options?: string[]; isImportant?: boolean; tagId?: number } = {},
): FieldDefinition {
  const { options = null, isImportant = false, tagId = null } = given;
  return { id, name, type, isImportant, options, tagId };
}
