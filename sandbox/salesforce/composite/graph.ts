import { halted, toErrorArray } from '../errors.ts';
import { ok, type RestCall, type RestReply } from '../rest.ts';
import { bodyOf, requireMethod } from '../sobjects.ts';
import { isPlainObject } from '../write/parse.ts';
import { findReferences } from './references.ts';
import {
  badRequest,
  type Execute,
  parseSubrequest,
  runSubrequests,
  type Subrequest,
  toCall,
} from './subrequests.ts';

// Source: REST API, Composite Graph Limits.
const graphsMax = 75;
const nodesMax = 500;
const depthMax = 15;
const nodeKindsMax = 15;
const failedGraphsMax = 14;

type Graph = { graphId: string; subrequests: Subrequest[] };

/** `POST /composite/graph`: each graph is all or nothing, and independent of the others. */
export function handleGraph(call: RestCall, execute: Execute): RestReply {
  requireMethod(call, ['POST']);
  const { graphs } = bodyOf(call);
  if (!Array.isArray(graphs) || graphs.length === 0)
    throw badRequest('graphs must be a list of at least one graph');
  if (graphs.length > graphsMax) throw badRequest(`Cannot exceed ${graphsMax} graphs`);
  const seen = new Set<string>();
  const parsed = graphs.map((graph: unknown) => parseGraph(graph, seen));
  const nodes = parsed.reduce((total, { subrequests }) => total + subrequests.length, 0);
  if (nodes > nodesMax) throw badRequest(`Cannot exceed ${nodesMax} nodes in the payload`);
  let failedGraphs = 0;
  const results = parsed.map((graph) => {
    if (failedGraphs >= failedGraphsMax) return skipped(graph);
    const { responses, isSuccessful } = runSubrequests(call, graph.subrequests, true, runNode(execute));
    if (!isSuccessful) failedGraphs += 1;
    return { graphId: graph.graphId, graphResponse: { compositeResponse: responses }, isSuccessful };
  });
  return ok({ graphs: results });
}

function runNode(execute: Execute) {
  return (outer: RestCall, subrequest: Subrequest, url: string, body: unknown): RestReply => {
    const inner = toCall(outer, subrequest, url, body);
    if (inner.segments[0] !== 'sobjects') throw badRequest(`Resource not allowed in a graph: ${url}`);
    return execute(inner);
  };
}

function parseGraph(input: unknown, seen: Set<string>): Graph {
  const { graphId, compositeRequest }: Record<string, unknown> = isPlainObject(input) ? input : {};
  if (typeof graphId !== 'string' || graphId === '' || graphId.length >= 40) {
    throw badRequest('graphId must be a text of fewer than 40 characters');
  }
  if (seen.has(graphId)) throw badRequest(`graphId ${graphId} is not unique`);
  seen.add(graphId);
  if (!Array.isArray(compositeRequest) || compositeRequest.length === 0) {
    throw badRequest(`graph ${graphId} has no compositeRequest`);
  }
  const names = new Set<string>();
  const subrequests = compositeRequest.map((part: unknown) => parseSubrequest(part, names));
  const kinds = new Set(subrequests.map(({ method, url }) => `${method} ${url.split('/')[5] ?? ''}`));
  if (kinds.size > nodeKindsMax)
    throw badRequest(`Cannot exceed ${nodeKindsMax} different nodes in graph ${graphId}`);
  if (depthOf(subrequests) > depthMax)
    throw badRequest(`Cannot exceed a depth of ${depthMax} in graph ${graphId}`);
  return { graphId, subrequests };
}

function depthOf(subrequests: Subrequest[]): number {
  const depths = new Map<string, number>();
  for (const { referenceId, url, body } of subrequests) {
    const parents = findReferences([url, body]).map((name) => depths.get(name) ?? 0);
    depths.set(referenceId, 1 + Math.max(0, ...parents));
  }
  return Math.max(...depths.values());
}

function skipped({ graphId, subrequests }: Graph) {
  const compositeResponse = subrequests.map(({ referenceId }) => ({
    body: toErrorArray([halted()]),
    httpHeaders: {},
    httpStatusCode: 400,
    referenceId,
  }));
  return { graphId, graphResponse: { compositeResponse }, isSuccessful: false };
}
