import type { IncomingMessage, ServerResponse } from 'node:http';
import { createInbox, type Inbox, type InboxSettings, statusOf } from './inbox.ts';

const BODY_BYTES_MAX = 2 * 1024 * 1024;
const CONTROL = '/_control/receiver';

export type Receiver = {
  /** @returns whether the request was one of ours. */
  handle(req: IncomingMessage, res: ServerResponse): boolean;
};

/**
 * A receiver of webhooks: `POST /receiver/INBOX`, any number of inboxes.
 *
 * | control | does |
 * |---|---|
 * | `POST /_control/receiver` `{inbox, secrets?, truto_secret?, rules?, seed?}` | how an inbox verifies and answers |
 * | `GET /_control/receiver?inbox=X[&brief=true]` | what came; brief leaves headers and bodies out |
 * | `DELETE /_control/receiver?inbox=X` | forgets what came |
 */
export function createReceiver(nowMs: () => number): Receiver {
  const inboxes = new Map<string, Inbox>();

  function inboxOf(name: string): Inbox {
    const known = inboxes.get(name);
    if (known) return known;
    const made = createInbox(nowMs);
    inboxes.set(name, made);
    return made;
  }

  async function receive(req: IncomingMessage, res: ServerResponse, name: string): Promise<void> {
    const rule = inboxOf(name).take(req.headers, await readBody(req));
    if (rule.kind === 'hang') return;
    if (rule.kind === 'reset') {
      res.destroy();
      return;
    }
    const headers = {
      ...(rule.retry_after === undefined ? {} : { 'retry-after': rule.retry_after }),
      ...(rule.location === undefined ? {} : { location: rule.location }),
    };
    res.writeHead(statusOf(rule), headers).end(rule.body ?? '');
  }

  async function control(req: IncomingMessage, res: ServerResponse, query: URLSearchParams): Promise<void> {
    const name = query.get('inbox') ?? '';
    switch (req.method) {
      case 'POST': {
        const { inbox = '', ...settings } = parseSettings(await readBody(req));
        inboxOf(inbox).change(settings);
        return answer(res, 200, { ok: true });
      }
      case 'GET': {
        const { received } = inboxOf(name);
        const brief = ({ headers: _, body: __, ...rest }: (typeof received)[number]) => rest;
        return answer(res, 200, { received: query.get('brief') === 'true' ? received.map(brief) : received });
      }
      case 'DELETE':
        inboxOf(name).clear();
        return answer(res, 200, { ok: true });
      default:
        return answer(res, 405, { error: 'POST, GET or DELETE' });
    }
  }

  return {
    handle(req, res) {
      const { pathname, searchParams } = new URL(req.url ?? '/', 'http://receiver');
      const name = /^\/receiver\/([\w.-]{1,100})$/.exec(pathname)?.[1];
      if (name === undefined && pathname !== CONTROL) return false;
      const handled = name === undefined ? control(req, res, searchParams) : receive(req, res, name);
      handled.catch((err) => answer(res, 400, { error: err instanceof Error ? err.message : String(err) }));
      return true;
    },
  };
}

function answer(res: ServerResponse, status: number, body: unknown): void {
  if (res.headersSent) return;
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new Error(`the body is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseSettings(body: Buffer): InboxSettings & { inbox?: string } {
  const value: unknown = JSON.parse(body.toString('utf8'));
  if (typeof value !== 'object' || value === null) throw new Error('send one JSON object');
  return value;
}
