import type { Answer } from '../core/provider.ts';
import { type CapsuleCall, ok, parseId } from './call.ts';
import { CURRENCIES, type Milestone, type Pipeline, type User } from './directory.ts';
import { missingRecord } from './errors.ts';
import { answerPage } from './paging.ts';
import { showDefinition, showMilestone, showNestedUser, showTag } from './show.ts';

const currencyNames = new Intl.DisplayNames('en', { type: 'currency' });

/** Only the milestones of the oldest active pipeline: an old call from before there were several ("Milestone"). */
export function listMilestones(call: CapsuleCall): Answer {
  const [oldest] = call.state.pipelines.values();
  return answerMilestones(call, milestonesOf(call, oldest?.id));
}

export function listAllMilestones(call: CapsuleCall): Answer {
  return answerMilestones(call, [...call.state.milestones.values()]);
}

export function listPipelineMilestones(call: CapsuleCall): Answer {
  const pipeline = call.state.pipelines.get(parseId(call.id) ?? 0);
  if (pipeline === undefined) return missingRecord('pipeline');
  return answerMilestones(call, milestonesOf(call, pipeline.id));
}

export function getMilestone(call: CapsuleCall): Answer {
  const milestone = call.state.milestones.get(parseId(call.id) ?? 0);
  if (milestone === undefined) return missingRecord('milestone');
  return ok({ milestone: showMilestone(milestone, call.state) });
}

export function listPipelines(call: CapsuleCall): Answer {
  const wanted = (call.query.get('q') ?? '').toLowerCase();
  const pipelines = [...call.state.pipelines.values()].filter(({ name }) =>
    name.toLowerCase().includes(wanted),
  );
  return answerPage(call, 'pipelines', pipelines, showPipeline);
}

export function getPipeline(call: CapsuleCall): Answer {
  const pipeline = call.state.pipelines.get(parseId(call.id) ?? 0);
  return pipeline === undefined ? missingRecord('pipeline') : ok({ pipeline: showPipeline(pipeline) });
}

export function listUsers(call: CapsuleCall): Answer {
  return answerPage(call, 'users', [...call.state.users.values()], showUser);
}

export function getCurrentUser(call: CapsuleCall): Answer {
  const user = call.state.users.get(call.userId);
  return user === undefined ? missingRecord('user') : ok({ user: showUser(user) });
}

export function getUser(call: CapsuleCall): Answer {
  // `/users/me` is what other APIs have; here it is no path at all.
  const id = parseId(call.id);
  const user = id === undefined ? undefined : call.state.users.get(id);
  if (id === undefined) return { status: 404, body: { message: 'Could not find resource' } };
  return user === undefined ? missingRecord('user') : ok({ user: showUser(user) });
}

export function listTeams(call: CapsuleCall): Answer {
  return answerPage(call, 'teams', [...call.state.teams.values()], ({ id, name }) => ({ id, name }));
}

/** The path is one word, the key is not. */
export function listLostReasons(call: CapsuleCall): Answer {
  return answerPage(call, 'lostReasons', [...call.state.lostReasons.values()], ({ id, name }) => ({
    id,
    name,
    includedForConversion: true,
  }));
}

export function listCurrencies(): Answer {
  return ok({
    currencies: [...CURRENCIES].map((code) => ({ code, name: currencyNames.of(code) ?? code })),
  });
}

/** Fields that stand under a data tag come only when asked for. */
export function listDefinitions(call: CapsuleCall): Answer {
  const isAll = call.query.get('includeDataTagFields') === 'true';
  const definitions = [...call.state.definitions.values()].filter(({ tagId }) => isAll || tagId === null);
  return answerPage(call, 'definitions', definitions, (definition) => showDefinition(definition, call.state));
}

export function getDefinition(call: CapsuleCall): Answer {
  const definition = call.state.definitions.get(parseId(call.id) ?? 0);
  if (definition === undefined) return missingRecord('definition');
  return ok({ definition: showDefinition(definition, call.state) });
}

export function listTags(call: CapsuleCall): Answer {
  return answerPage(call, 'tags', [...call.state.tags.values()], showTag);
}

export function listTagDefinitions(call: CapsuleCall): Answer {
  const tagId = parseId(call.id) ?? 0;
  if (!call.state.tags.has(tagId)) return missingRecord('tag');
  const definitions = [...call.state.definitions.values()].filter((definition) => definition.tagId === tagId);
  return answerPage(call, 'definitions', definitions, (definition) => showDefinition(definition, call.state));
}

export function getSite(): Answer {
  return ok({ site: { subdomain: 'demo', url: 'https://demo.capsulecrm.example', name: 'Demo Trading' } });
}

function milestonesOf(call: CapsuleCall, pipelineId: number | undefined): Milestone[] {
  return [...call.state.milestones.values()].filter((milestone) => milestone.pipelineId === pipelineId);
}

function answerMilestones(call: CapsuleCall, milestones: Milestone[]): Answer {
  return answerPage(call, 'milestones', milestones, (milestone) => showMilestone(milestone, call.state));
}

function showPipeline({ id, name }: Pipeline): Record<string, unknown> {
  return { id, name, description: null, archived: false };
}

function showUser(user: User): Record<string, unknown> {
  return {
    ...showNestedUser(user),
    status: 'ACTIVE',
    timezone: 'Europe/London',
    locale: 'en_GB',
    currency: 'GBP',
  };
}
