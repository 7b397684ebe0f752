import type { AccountFacts } from '../../domain/integrated-account.ts';
import type { OpportunityInput } from '../../domain/opportunity.ts';
import { type Draft, failed } from './draft.ts';

type StageFact = AccountFacts['stages'][number];
type StageInput = NonNullable<OpportunityInput['stage']>;

/** Stages named in one message. */
const LISTED_MAX = 40;

/**
 * `StageName` for a stage given by its picklist value (`id`) or by value or label (`name`).
 * It is checked here because Salesforce does not: the picklist is not restricted unless an administrator made it so,
 * and an unknown stage is then stored with 201.
 * @see https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
 */
export function mapStage(stage: StageInput | undefined, facts: AccountFacts | undefined): Draft {
  const given = stage?.id ?? stage?.name;
  if (stage === undefined || given === undefined) return {};
  // No stages at all: the user may not see the field, so there is nothing to check against.
  if (facts === undefined || facts.stages.length === 0) return { body: { StageName: given } };

  const byId = stage.id !== undefined;
  const pointer = byId ? '/stage/id' : '/stage/name';
  const found = findStages(facts.stages, given, byId);
  const active = found.filter((candidate) => candidate.active);
  const [match] = active;
  if (match === undefined) {
    const what =
      found.length > 0
        ? `the stage "${given}" is inactive in Salesforce`
        : `Salesforce has no stage "${given}"`;
    const failure = failed(pointer, `${what}; ${listStages(facts.stages)}`, 'stage_not_found');
    return { ...failure, staleFacts: true };
  }
  if (active.length > 1) {
    const ids = active.map((candidate) => `"${candidate.id}"`).join(', ');
    return failed(
      pointer,
      `several stages are named "${given}"; send stage.id as one of ${ids}`,
      'stage_ambiguous',
    );
  }
  if (byId && stage.name !== undefined && !isNamed(match, stage.name)) {
    return failed(
      '/stage/name',
      `the stage "${given}" is named "${match.name}", not "${stage.name}"; send only one of id and name, or both alike`,
    );
  }
  return { body: { StageName: match.id } };
}

/** Candidates by the first comparison that finds any: exact before case-insensitive, and for names label before value. */
function findStages(stages: StageFact[], given: string, byId: boolean): StageFact[] {
  const lower = given.toLowerCase();
  const comparisons: ((stage: StageFact) => boolean)[] = byId
    ? [(stage) => stage.id === given, (stage) => stage.id.toLowerCase() === lower]
    : [
        (stage) => stage.name === given,
        (stage) => stage.id === given,
        (stage) => stage.name.toLowerCase() === lower,
        (stage) => stage.id.toLowerCase() === lower,
      ];
  for (const comparison of comparisons) {
    const found = stages.filter(comparison);
    if (found.length > 0) return found;
  }
  return [];
}

function isNamed(stage: StageFact, name: string): boolean {
  const lower = name.toLowerCase();
  return stage.name.toLowerCase() === lower || stage.id.toLowerCase() === lower;
}

function listStages(stages: StageFact[]): string {
  const active = stages.filter((stage) => stage.active);
  const listed = active
    .slice(0, LISTED_MAX)
    .map((stage) => (stage.id === stage.name ? `"${stage.name}"` : `"${stage.name}" (id "${stage.id}")`));
  const rest = active.length > LISTED_MAX ? ` and ${active.length - LISTED_MAX} more` : '';
  return `it has ${listed.join(', ')}${rest}`;
}
