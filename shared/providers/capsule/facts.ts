import type { z } from 'zod';
import type { AccountFacts, CustomFieldFact } from '../../domain/integrated-account.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import type { Call, Looked } from '../port.ts';
import { orWhenHidden, readAs } from '../read-call.ts';
import { listRows } from './paging.ts';
import {
  CapsuleCurrency,
  CapsuleCurrentUser,
  CapsuleDefinition,
  CapsuleMilestone,
  CapsulePipeline,
  CapsuleUser,
} from './responses.ts';

const API = '/api/v2';

/** @see https://developer.capsulecrm.com/v2/operations/Milestone */
export async function fetchFacts(call: Call, nowMs: number): Promise<Looked<AccountFacts>> {
  const [me, stages, definitions, users, currencies] = await Promise.all([
    fetchCurrentUser(call, 'look_up'),
    fetchStages(call),
    // Fields that stand under a data tag are left out unless asked for.
    listRows(call, `${API}/opportunities/fields/definitions`, 'definitions', CapsuleDefinition, {
      includeDataTagFields: true,
    }),
    listRows(call, `${API}/users`, 'users', CapsuleUser).then((looked) => orWhenHidden(looked, [])),
    // Only a convenience: Capsule itself refuses a currency it has not, so that an unreadable list may be missed.
    listRows(call, `${API}/currencies`, 'currencies', CapsuleCurrency).then((looked) =>
      orWhenHidden(looked, [], 200),
    ),
  ]);
  if (!me.ok) return me;
  if (!stages.ok) return stages;
  if (!definitions.ok) return definitions;
  if (!users.ok) return users;
  if (!currencies.ok) return currencies;
  const allowed = currencies.value.flatMap((currency) => codeOf(currency) ?? []);
  return {
    ok: true,
    value: {
      fetchedAtMs: nowMs,
      stages: stages.value,
      owners: users.value.map((user) => ({
        id: String(user.id),
        name: nameOfUser(user),
        ...(user.email ? { email: user.email } : {}),
        active: true,
      })),
      customFields: definitions.value.map(toCustomField),
      currency: { mode: 'per_record', ...(allowed.length > 0 ? { allowed } : {}) },
      user: { id: String(me.value.id), name: nameOfUser(me.value) },
      features: {},
    },
  };
}

/** `/users/me` does not exist. @see https://developer.capsulecrm.com/v2/operations/User */
export async function fetchCurrentUser(
  call: Call,
  purpose: 'look_up' | 'check',
): Promise<Looked<CapsuleUser>> {
  const path = `${API}/users/current`;
  const looked = await readAs(call, { method: 'GET', path, purpose }, CapsuleCurrentUser);
  return looked.ok ? { ok: true, value: looked.value.user } : looked;
}

/** Pipeline by pipeline: `/milestones` alone covers only the oldest active one. */
async function fetchStages(call: Call): Promise<Looked<AccountFacts['stages']>> {
  const pipelines = await listRows(call, `${API}/pipelines`, 'pipelines', CapsulePipeline);
  if (!pipelines.ok) return pipelines;
  const stages: AccountFacts['stages'] = [];
  for (const pipeline of pipelines.value) {
    const path = `${API}/pipelines/${pipeline.id}/milestones`;
    const milestones = await listRows(call, path, 'milestones', CapsuleMilestone);
    if (!milestones.ok) return milestones;
    stages.push(...milestones.value.map((milestone) => toStage(milestone, pipeline)));
  }
  return { ok: true, value: stages };
}

/** A closing milestone is won at 100 % and lost at 0 %. @see https://developer.capsulecrm.com/v2/models/milestone */
function toStage(
  { id, name, complete, probability }: z.infer<typeof CapsuleMilestone>,
  pipeline: z.infer<typeof CapsulePipeline>,
): AccountFacts['stages'][number] {
  return {
    id: String(id),
    name,
    pipeline: { id: String(pipeline.id), name: pipeline.name },
    status: complete !== true ? 'open' : probability === 0 ? 'lost' : 'won',
    active: true,
  };
}

function toCustomField({ id, name, type, options }: CapsuleDefinition): CustomFieldFact {
  return {
    key: String(id),
    label: name,
    type,
    creatable: true,
    multiple: /multi/i.test(type),
    ...(options && options.length > 0 ? { options } : {}),
  };
}

/** A bare code, or an object with the code under some name. */
function codeOf(currency: unknown): string | undefined {
  const candidates: unknown[] = isJsonObject(currency)
    ? [currency.code, ...Object.values(currency)]
    : [currency];
  return candidates.find((code): code is string => typeof code === 'string' && /^[A-Z]{3}$/.test(code));
}

export function nameOfUser(user: CapsuleUser): string {
  return user.name || user.username || String(user.id);
}
