import { type ChaosAccount, chaosAccounts } from '../accounts.ts';

export type NaiveRequest = { url: string; headers: Record<string, string>; body: unknown };

type Unified = { name: string; close_date?: string; amount?: number; account?: { id: string } };

/** The create as somebody writes it who reads only the page of the create call. */
export function naiveRequest(sandbox: string, accountId: string, unified: Unified): NaiveRequest {
  const account = chaosAccounts(sandbox).find(({ id }) => id === accountId);
  if (!account) throw new Error(`no account ${accountId}`);
  return { headers: { authorization: authorizationOf(account) }, ...requestOf(sandbox, account, unified) };
}

function authorizationOf({ provider, authorization }: ChaosAccount): string {
  return `${provider === 'close' ? 'Basic' : 'Bearer'} ${authorization}`;
}

function requestOf(sandbox: string, account: ChaosAccount, unified: Unified): Omit<NaiveRequest, 'headers'> {
  const { name, account: parent } = unified;
  switch (account.provider) {
    case 'salesforce':
      return {
        url: `${sandbox}/salesforce/services/data/v67.0/sobjects/Opportunity`,
        body: { Name: name, StageName: 'Prospecting', CloseDate: unified.close_date, Amount: unified.amount },
      };
    case 'close':
      return { url: `${sandbox}/close/api/v1/opportunity/`, body: { note: name, lead_id: parent?.id } };
    case 'capsule':
      return {
        url: `${sandbox}/capsule/api/v2/opportunities`,
        body: { opportunity: { name, party: { id: Number(parent?.id) }, milestone: { id: 12 } } },
      };
  }
}
