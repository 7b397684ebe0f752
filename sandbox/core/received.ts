import type { IncomingMessage } from 'node:http';
import { parse as parseForm } from 'node:querystring';
import { gunzipSync } from 'node:zlib';

/** The body of a request as it came over the wire. */
export type Received = {
  raw: Buffer;
  /** Calls are numbered as they begin, over all providers. */
  callNumber: number;
  /** Lower-case media type without parameters; '' when the header is absent. */
  mediaType: string;
  /** Asked for each record the call writes: does it meet a lock? Set by the fault lock_row with a row_rate. */
  isRowLocked?: () => boolean;
  /** Set when the content type says JSON but the text is not. */
  jsonError?: string;
};

// The largest body any of the three takes: 150 MB of one Salesforce bulk job, plus room for encoding.
const bodyBytesMax = 160 * 1024 * 1024;

const empty = Buffer.alloc(0);
const bodies = new WeakMap<object, Received>();

/** What the core has read of a request before the provider's router runs. */
export function received(req: object): Received {
  return bodies.get(req) ?? { raw: empty, callNumber: 0, mediaType: '' };
}

/**
 * Reads the whole body, then calls back with true; with false when the client went away before it was
 * complete or the body is too large. `req.body` holds the parsed JSON or form.
 */
export function readBody(req: IncomingMessage, callNumber: number, done: (complete: boolean) => void): void {
  const { headers } = req;
  const body: Received = { raw: empty, callNumber, mediaType: mediaTypeOf(headers['content-type']) };
  bodies.set(req, body);
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
    done(true);
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  let settled = false;
  const settle = (complete: boolean): void => {
    if (settled) return;
    settled = true;
    done(complete);
  };
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= bodyBytesMax) chunks.push(chunk);
  });
  req.on('end', () => {
    const [first] = chunks;
    if (bytes <= bodyBytesMax) {
      attachBody(req, body, chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
    }
    settle(bytes <= bodyBytesMax);
  });
  req.on('error', () => settle(false));
  req.on('close', () => settle(false));
}

function attachBody(req: IncomingMessage, body: Received, wire: Buffer): void {
  const { mediaType } = body;
  body.raw = wire;
  if (req.headers['content-encoding'] === 'gzip') {
    try {
      body.raw = gunzipSync(wire);
    } catch {
      body.jsonError = 'the body is not gzip';
      return;
    }
  }
  if (body.raw.length === 0) return;
  if (mediaType === 'application/json' || mediaType.endsWith('+json')) {
    try {
      Object.assign(req, { body: JSON.parse(body.raw.toString('utf8')) });
    } catch (error) {
      body.jsonError = error instanceof Error ? error.message : String(error);
    }
  } else if (mediaType === 'application/x-www-form-urlencoded') {
    Object.assign(req, { body: { ...parseForm(body.raw.toString('utf8')) } });
  }
}

function mediaTypeOf(header: string | undefined): string {
  if (header === undefined) return '';
  if (header === 'application/json') return header;
  const end = header.indexOf(';');
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
}
