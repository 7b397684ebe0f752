import type { FieldFailure, FieldFailureCode } from '../domain/failure.ts';
import type { AccountFacts } from '../domain/integrated-account.ts';

type Stage = AccountFacts['stages'][number];

export type StageInput = { id?: string | undefined; name?: string | undefined };

export type ResolvedStage =
  /** `id` is absent when only a name was given and there are no facts to find it in. */
  | { kind: 'resolved'; id: string | undefined }
  | { kind: 'failed'; failure: FieldFailure; staleFacts: boolean };

/** `key` is where the caller may name a pipeline; used in messages and as the pointer of its failures. */
export type PipelineHint = { value: string | undefined; key: string };

const LISTED_MAX = 50;

/**
 * The id of the stage a caller means, by id or by name (case does not matter), in one pipeline or in all.
 * Without facts an id is taken as it is and a name stays unresolved.
 */
export function resolveStage(
  stage: StageInput,
  facts: AccountFacts | undefined,
  hint: PipelineHint,
): ResolvedStage {
  if (stage.id === undefined && stage.name === undefined)
    return failed('/stage', 'invalid_body', 'must have an id or a name', false);
  if (facts === undefined) return { kind: 'resolved', id: stage.id };
  const inPipeline = facts.stages.filter((known) => isInPipeline(known, hint.value));
  if (hint.value !== undefined && inPipeline.length === 0 && facts.stages.length > 0)
    return failed(
      `/remote_data/${hint.key}`,
      'stage_not_found',
      `no pipeline "${hint.value}"; the account has: ${listPipelines(facts)}`,
      true,
    );
  if (stage.id !== undefined) return resolveById(stage.id, stage.name, inPipeline, facts);
  return resolveByName(stage.name ?? '', inPipeline, hint);
}

function resolveById(
  id: string,
  name: string | undefined,
  inPipeline: Stage[],
  facts: AccountFacts,
): ResolvedStage {
  const known = inPipeline.find((stage) => stage.id === id);
  if (!known && facts.stages.length === 0) return { kind: 'resolved', id };
  if (!known)
    return failed(
      '/stage/id',
      'stage_not_found',
      `no stage with the id "${id}"; the account has: ${list(inPipeline)}`,
      true,
    );
  if (name !== undefined && !isSame(known.name, name))
    return failed(
      '/stage/name',
      'invalid_body',
      `the stage with the id "${id}" is called "${known.name}"; send the id or the name, or make them agree`,
      true,
    );
  return { kind: 'resolved', id };
}

function resolveByName(name: string, inPipeline: Stage[], hint: PipelineHint): ResolvedStage {
  const active = inPipeline.filter((stage) => stage.active);
  const same = active.filter((stage) => isSame(stage.name, name));
  const exact = same.filter((stage) => stage.name === name);
  const [only, ...others] = exact.length === 1 && isOnePipeline(same) ? exact : same;
  if (only === undefined)
    return failed(
      '/stage/name',
      'stage_not_found',
      `no stage "${name}"; the account has: ${list(active)}`,
      true,
    );
  if (others.length > 0)
    return failed(
      '/stage/name',
      'stage_ambiguous',
      `several stages are called "${name}": ${list(same)}; send stage.id, or the pipeline as remote_data.${hint.key}`,
      true,
    );
  return { kind: 'resolved', id: only.id };
}

function isOnePipeline(stages: Stage[]): boolean {
  return new Set(stages.map((stage) => stage.pipeline?.id)).size === 1;
}

function isInPipeline(stage: Stage, pipeline: string | undefined): boolean {
  if (pipeline === undefined) return true;
  return (
    stage.pipeline?.id === pipeline || (stage.pipeline !== undefined && isSame(stage.pipeline.name, pipeline))
  );
}

/** Names as people type them: case and outer spaces do not count. */
export function isSame(left: string, right: string): boolean {
  return left.trim().toLowerCase() === right.trim().toLowerCase();
}

function failed(
  pointer: string,
  code: FieldFailureCode,
  message: string,
  staleFacts: boolean,
): ResolvedStage {
  return { kind: 'failed', failure: { pointer, code, message }, staleFacts };
}

function list(stages: Stage[]): string {
  const named = stages.map(
    ({ id, name, pipeline }) => `${pipeline ? `${pipeline.name} / ` : ''}${name} (${id})`,
  );
  const more = named.length > LISTED_MAX ? ` and ${named.length - LISTED_MAX} more` : '';
  return named.length === 0 ? 'none' : `${named.slice(0, LISTED_MAX).join(', ')}${more}`;
}

function listPipelines(facts: AccountFacts): string {
  const names = facts.stages.flatMap(({ pipeline }) =>
    pipeline ? [`${pipeline.name} (${pipeline.id})`] : [],
  );
  return [...new Set(names)].slice(0, LISTED_MAX).join(', ') || 'none';
}
