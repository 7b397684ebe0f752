const LEADS = 3;

/** A create as a product would send it to Close, about 600 bytes of JSON. */
export function opportunityBody(i: number, ids: { leads: string[]; owner: string }): Record<string, unknown> {
  return {
    name: `Renewal ${i} of the yearly platform licence for the whole northern sales region`,
    account: { id: ids.leads[i % Math.min(LEADS, ids.leads.length)] },
    owner: { id: ids.owner },
    amount: 1250.5 + (i % 1_000),
    close_date: '2027-03-31T00:00:00Z',
    description: `Follows the talk at the fair in spring: three sites, a pilot in the first quarter, and a decision by the board in ${2027 + (i % 3)}. Pricing as in the second offer; the discount ends with the quarter. Contact prefers mail. Reference ${String(i).padStart(8, '0')}.`,
    remote_data: { confidence: 60, value_period: 'one_time' },
  };
}
