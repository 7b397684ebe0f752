import { type SalesforceFailureRow, SOURCES } from './failure-row.ts';

const ID = '006RO000004Kt7PYAS';

/** Confirmed records; `code` has no meaning here. */
export const WRITTEN_ROWS: SalesforceFailureRow[] = [
  {
    id: 'upsert_matched',
    when: '200 with created false: the record with our key was there already',
    outcome: 'written',
    code: 'written',
    source: SOURCES.upsert,
    match: { status: [200], body: 'matched' },
    sample: { status: 200, body: { id: ID, success: true, errors: [], created: false } },
  },
  {
    id: 'created',
    when: '201 (or 200) with success true and an id',
    outcome: 'written',
    code: 'written',
    source: SOURCES.create,
    match: { status: [200, 201], body: 'saved' },
    sample: { status: 201, body: { id: ID, success: true, errors: [] } },
  },
];

/** Answers of success that confirm no record. */
export const UNCONFIRMED_ROWS: SalesforceFailureRow[] = [
  {
    id: 'success_without_record',
    when: '2xx that does not say success true with an id (success false, empty, HTML, cut off)',
    outcome: 'ambiguous',
    code: 'provider_bad_answer',
    source: SOURCES.create,
    match: { status: 'success' },
    sample: { status: 201, body: '<html>gateway</html>' },
  },
];
