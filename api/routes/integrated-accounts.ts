import type { Response } from 'express';
import * as operations from '../../shared/contract/operations/accounts.ts';
import { check } from '../../shared/contract/validation-failures.ts';
import {
  CREDENTIALS,
  type ProviderName,
  type SubmittedCredentials,
} from '../../shared/domain/integrated-account.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import { type AccountDeps, getAccount, viewAccount } from '../../shared/use-cases/account-access.ts';
import { changeAccount, mergeSettings } from '../../shared/use-cases/change-account.ts';
import { checkAccount } from '../../shared/use-cases/check-account.ts';
import { connectAccount } from '../../shared/use-cases/connect-account.ts';
import { deleteAccount } from '../../shared/use-cases/delete-account.ts';
import { pauseAccount, replaceCredentials, resumeAccount } from '../../shared/use-cases/hold-account.ts';
import { throwFailures } from '../../shared/use-cases/validate-connection.ts';
import type { Caller } from '../request-facts.ts';
import type { Answer } from '../send-answer.ts';
import type { Serve } from '../serve-operation.ts';
import type { TellLimits } from '../tell-limits.ts';

/** `/integrated-accounts`. */
export function serveIntegratedAccounts(serve: Serve, deps: AccountDeps & { tellLimits: TellLimits }): void {
  type OfOne = { params: { id: string }; caller: Caller; res: Response };
  const find = async ({ params, caller, res }: OfOne) => {
    const account = await getAccount(deps, caller.workspace, params.id);
    await deps.tellLimits(account.id, res);
    return account;
  };
  const show = async (account: Account, status = 200): Promise<Answer> => ({
    status,
    body: await viewAccount(deps, account),
  });

  serve(operations.connectIntegratedAccount, async ({ body, caller }) => {
    const { provider, id, credentials } = body;
    const settings = mergeSettings({}, body.settings ?? {});
    const name = body.name ?? deps.descriptorOf(provider).label;
    const { workspace } = caller;
    const account = await connectAccount(deps, { id, workspace, provider, name, settings, credentials });
    const answer = await show(account, 201);
    return { ...answer, headers: { Location: `/integrated-accounts/${account.id}` } };
  });

  serve(operations.listIntegratedAccounts, async ({ caller }) => {
    const accounts = await deps.store.list(caller.workspace);
    const data = await Promise.all(accounts.map((account) => viewAccount(deps, account)));
    return { status: 200, body: { object: 'list', data, next_cursor: null } };
  });

  serve(operations.getIntegratedAccount, async (input) => show(await find(input)));

  serve(operations.changeIntegratedAccount, async (input) =>
    show(await changeAccount(deps, await find(input), input.body)),
  );

  serve(operations.deleteIntegratedAccount, async (input) => {
    const deletion = await deleteAccount(deps, await find(input), input.query.cancel ?? false);
    return deletion.kind === 'deleted' ? { status: 204 } : show(deletion.account, 202);
  });

  serve(operations.replaceIntegratedAccountCredentials, async (input) => {
    const account = await find(input);
    const { credentials, prefix } = readCredentials(account.provider, input.body);
    return show(await replaceCredentials(deps, account, credentials, prefix));
  });

  serve(operations.checkIntegratedAccount, async (input) => ({
    status: 200,
    body: await checkAccount(deps, await find(input)),
  }));

  serve(operations.pauseIntegratedAccount, async (input) =>
    show(await pauseAccount(deps, await find(input))),
  );

  serve(operations.resumeIntegratedAccount, async (input) =>
    show(await resumeAccount(deps, await find(input))),
  );
}

/**
 * Credentials by the provider's schema, wrapped in `credentials` or bare.
 * @throws AppError `invalid_body` with pointers into the caller's body.
 */
function readCredentials(
  provider: ProviderName,
  body: Record<string, unknown>,
): { credentials: SubmittedCredentials; prefix: string } {
  const isWrapped = Object.hasOwn(body, 'credentials');
  const prefix = isWrapped ? '/credentials' : '';
  const foreign = isWrapped ? Object.keys(body).filter((key) => key !== 'credentials') : [];
  throwFailures(
    foreign.map((key) => ({ pointer: `/${key}`, code: 'unknown_field', message: 'is not known' })),
  );
  const checked = check(CREDENTIALS[provider], isWrapped ? body.credentials : body);
  if (checked.ok) return { credentials: checked.value, prefix };
  throwFailures(checked.failures.map((failure) => ({ ...failure, pointer: `${prefix}${failure.pointer}` })));
  throw new Error('unreachable: a failed check names at least one failure');
}
