import type { createBulkResource } from './bulk/resource.ts';
import { handleCollections } from './composite/collections.ts';
import { handleComposite } from './composite/composite.ts';
import { handleGraph } from './composite/graph.ts';
import { handleTree } from './composite/tree.ts';
import { notFound, RestFailure } from './errors.ts';
import { ok, type RestCall, type RestReply } from './rest.ts';
import { handleSobjects, requireMethod } from './sobjects.ts';

export type ResourceDeps = {
  query: (call: RestCall) => RestReply;
  bulk: ReturnType<typeof createBulkResource>;
  /** Calls used in the rolling day. */
  used: () => number;
};

/** Everything under `/services/data/vXX.X/`, for HTTP calls and for parts of composite ones alike. */
export function createResources({ query, bulk, used }: ResourceDeps) {
  function execute(call: RestCall): RestReply {
    const [resource = '', second] = call.segments;
    switch (resource) {
      case '':
        return listResources(call);
      case 'sobjects':
        return handleSobjects(call);
      case 'query':
      case 'queryAll':
        return query(call);
      case 'limits':
        return limits(call);
      case 'jobs':
        return bulk.handle(call);
      case 'composite':
        if (second === undefined || second === '') return handleComposite(call, execute);
        if (second === 'sobjects') return handleCollections(call);
        if (second === 'graph') return handleGraph(call, execute);
        if (second === 'tree') return handleTree(call);
        throw new RestFailure(notFound());
      default:
        throw new RestFailure(notFound());
    }
  }

  /** Source: REST API, Limits. */
  function limits(call: RestCall): RestReply {
    requireMethod(call, ['GET', 'HEAD']);
    const max = call.context.switches.daily_limit;
    const full = (size: number) => ({ Max: size, Remaining: size });
    return ok({
      DailyApiRequests: { Max: max, Remaining: Math.max(0, max - used()) },
      DailyAsyncApexExecutions: full(250_000),
      DailyBulkApiBatches: bulk.allocation(call.context.switches.bulk_batches),
      DailyBulkV2QueryJobs: full(10_000),
      DataStorageMB: full(1_024),
      FileStorageMB: full(1_024),
      HourlyODataCallout: full(20_000),
      SingleEmail: full(5_000),
    });
  }

  return execute;
}

function listResources(call: RestCall): RestReply {
  const base = `/services/data/v${call.version}`;
  const names = ['sobjects', 'query', 'queryAll', 'limits', 'composite', 'jobs'];
  return ok(Object.fromEntries(names.map((name) => [name, `${base}/${name}`])));
}

// First and last version answered. Source: REST API, Versions; API End-of-Life.
export const firstVersion = 31;
export const lastVersion = 67;
const seasons = ['Spring', 'Summer', 'Winter'];

/** `GET /services/data/`: no auth, not metered. Spring '14 is v30, three releases a year. */
export function listVersions(): Record<string, string>[] {
  const versions: Record<string, string>[] = [];
  for (let number = firstVersion; number <= lastVersion; number += 1) {
    const sinceSpring14 = number - 30;
    const season = seasons[sinceSpring14 % 3] ?? '';
    // Winter releases are named after the year that follows.
    const year = 14 + Math.floor(sinceSpring14 / 3) + (season === 'Winter' ? 1 : 0);
    const version = `${number}.0`;
    versions.push({ label: `${season} '${year}`, url: `/services/data/v${version}`, version });
  }
  return versions;
}
