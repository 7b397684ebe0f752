import { ok, type RestCall, type RestReply } from '../rest.ts';
import { bodyOf, requireMethod } from '../sobjects.ts';
import { badRequest, type Execute, parseSubrequest, runSubrequests, toCall } from './subrequests.ts';

// Source: REST API, Composite, limits.
const subrequestsMax = 25;
const heavySubrequestsMax = 5;

/** `POST /composite`. The outer status is 200 even when everything inside failed. */
export function handleComposite(call: RestCall, execute: Execute): RestReply {
  requireMethod(call, ['POST']);
  const { compositeRequest, allOrNone } = bodyOf(call);
  if (!Array.isArray(compositeRequest) || compositeRequest.length === 0) {
    throw badRequest('compositeRequest must be a list of at least one subrequest');
  }
  if (compositeRequest.length > subrequestsMax) {
    throw badRequest(`Cannot exceed ${subrequestsMax} subrequests in a composite request`);
  }
  const seen = new Set<string>();
  const subrequests = compositeRequest.map((input: unknown) => parseSubrequest(input, seen));
  const heavy = subrequests.filter(({ url }) => /\/(?:composite\/sobjects|query(?:All)?)\b/.test(url));
  if (heavy.length > heavySubrequestsMax) {
    throw badRequest(`Cannot exceed ${heavySubrequestsMax} query or collections subrequests`);
  }
  const { responses } = runSubrequests(
    call,
    subrequests,
    allOrNone === true,
    (outer, subrequest, url, body) => {
      const inner = toCall(outer, subrequest, url, body);
      const isNested = inner.segments[0] === 'composite' && inner.segments[1] !== 'sobjects';
      if (isNested || inner.segments[0] === 'jobs')
        throw badRequest(`Resource not allowed in composite: ${url}`);
      return execute(inner);
    },
  );
  return ok({ compositeResponse: responses });
}
