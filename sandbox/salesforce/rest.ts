import type { WriteContext } from './write/context.ts';

/** One REST call, over HTTP or as a part of a composite one. */
export type RestCall = {
  method: string;
  /** "60.0" */
  version: string;
  /** Decoded path segments after the version. */
  segments: string[];
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Record<string, string | string[] | undefined>;
  /** Parsed JSON; undefined when there was none. */
  body: unknown;
  raw: Buffer;
  mediaType: string;
  context: WriteContext;
};

export type RestReply = {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; a string or Buffer goes out as it is, with `contentType`. */
  body?: unknown;
  contentType?: string;
};

export function ok(body: unknown, headers?: Record<string, string>): RestReply {
  return { status: 200, body, headers };
}

export const noContent: RestReply = { status: 204 };

export function recordUrl(call: Pick<RestCall, 'version'>, object: string, id: string): string {
  return `/services/data/v${call.version}/sobjects/${object}/${id}`;
}
