/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`; more than `most` is `most + 1`. */
export function editDistance(a: string, b: string, most = 3): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(at(previous, j) + 1, at(row, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, at(before, j - 2) + 1);
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return Math.min(at(previous, b.length), most + 1);
}

const at = (row: number[], i: number) => row[i] ?? Number.POSITIVE_INFINITY;

const plain = (key: string) => key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** The known key that `key` was probably meant to be, or undefined. */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  // Nobody mistypes a name of hundreds of letters, and the table grows with the square.
  if (key.length > 64) return undefined;
  const wanted = plain(key);
  const same = known.find((candidate) => plain(candidate) === wanted);
  if (same !== undefined) return same;
  const most = Math.min(3, Math.floor(wanted.length / 3));
  let best: { key: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate), most);
    if (distance <= most && (best === undefined || distance < best.distance))
      best = { key: candidate, distance };
  }
  if (best) return best.key;
  // "contacts" for "contact", "owner_id" for "owner".
  return known.find((candidate) => candidate.length >= 4 && wanted.startsWith(plain(candidate)));
}

/**
 * What the CRMs call the unified fields: a caller who knows one of them tends to send its name at the top level.
 * Names that are unified fields themselves are not listed.
 */
const PROVIDER_WORDS: Readonly<Record<string, string>> = {
  // Salesforce
  stagename: 'stage.name',
  closedate: 'close_date',
  accountid: 'account.id',
  ownerid: 'owner.id',
  contactid: 'contact[].id',
  currencyisocode: 'currency',
  createddate: 'created_at',
  // Close
  lead_id: 'account.id',
  user_id: 'owner.id',
  contact_id: 'contact[].id',
  status_id: 'stage.id',
  status_label: 'stage.name',
  status: 'stage.name',
  value: 'amount',
  value_currency: 'currency',
  date_won: 'close_date',
  expected_date: 'close_date',
  note: 'description',
  date_created: 'created_at',
  // Capsule
  milestone: 'stage.name',
  party: 'account.id',
  expectedcloseon: 'close_date',
  closedon: 'close_date',
  createdat: 'created_at',
  fields: 'custom_fields',
  parties: 'contact[].id',
};

/** The unified field a provider's own name stands for, as `stage.name`, or undefined. */
export function unifiedNameOf(providerKey: string): string | undefined {
  const key = providerKey.toLowerCase();
  return Object.hasOwn(PROVIDER_WORDS, key) ? PROVIDER_WORDS[key] : undefined;
}
