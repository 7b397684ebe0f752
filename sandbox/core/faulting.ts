import type { ServerResponse } from 'node:http';
import { type Exchange, sendAnswer } from './exchange.ts';
import { createRandom, type Fault } from './faults.ts';
import type { Answer } from './provider.ts';
import { received } from './received.ts';

export type FaultingDeps = {
  /** Goes on to limits and router; the argument runs just before the router. */
  handle: (wrap?: () => void) => void;
  nowMs: () => number;
};

/** Does to one call what the fault says. */
export function applyFault(exchange: Exchange, fault: Fault, deps: FaultingDeps): void {
  const { req, res, mounted } = exchange;
  const { provider, pending } = mounted;
  const reset = (): void => void req.socket.resetAndDestroy();
  const later = (work: () => void): void => {
    if (fault.delay_ms === undefined) work();
    else pending.after(fault.delay_ms, work);
  };
  switch (fault.kind) {
    case 'rate_limit':
      later(() => sendAnswer(res, override(limitAnswer(exchange, fault, deps.nowMs()), fault)));
      break;
    case 'status': {
      const answer = override(provider.statusAnswer(fault.status ?? 500, exchange), fault);
      const send = (): void => sendAnswer(res, answer);
      if (fault.after_commit === true) deps.handle(() => catchAnswer(res, () => later(send)));
      else later(send);
      break;
    }
    case 'lock_row': {
      const { row_rate } = fault;
      if (row_rate !== undefined) {
        // Another sequence for each call, so that a row sent again is not locked by its place.
        const random = createRandom((fault.seed ?? 1) + fault.hits);
        received(req).isRowLocked = () => random() < row_rate;
        later(() => deps.handle());
        break;
      }
      const answer = provider.lockAnswer?.() ?? provider.statusAnswer(409, exchange);
      later(() => sendAnswer(res, override(answer, fault)));
      break;
    }
    case 'expire_token':
      provider.expireTokens();
      later(() => deps.handle());
      break;
    case 'reset_before_commit':
      later(reset);
      break;
    case 'reset_after_commit':
      deps.handle(() => catchAnswer(res, () => later(reset)));
      break;
    case 'hang_before_commit':
      pending.hang(req.socket, res);
      if (fault.delay_ms !== undefined) later(() => req.socket.destroy());
      break;
    case 'hang_after_commit':
      pending.hang(req.socket, res);
      deps.handle(() =>
        catchAnswer(res, (send) => {
          if (fault.delay_ms !== undefined) later(send);
        }),
      );
      break;
    case 'late_commit':
      pending.hang(req.socket, res);
      if (fault.reset_after_ms !== undefined) pending.after(fault.reset_after_ms, reset);
      pending.after(fault.delay_ms ?? 5_000, () => deps.handle());
      break;
  }
}

function limitAnswer({ mounted, path, method }: Exchange, fault: Fault, nowMs: number): Answer {
  return mounted.provider.limitAnswer(
    { path, method },
    {
      retryAfterS: fault.retry_after_s,
      resetAtMs: nowMs + (fault.retry_after_s ?? 1) * 1000,
      limit: mounted.limiter.limits().requests,
      remaining: 0,
      reason: 'fault',
    },
  );
}

function override(answer: Answer, fault: Fault): Answer {
  return {
    status: fault.status ?? answer.status,
    headers: { ...answer.headers, ...fault.headers },
    body: fault.body ?? answer.body,
  };
}

/**
 * Holds back what the router answers: `caught` runs instead of the end of the response and gets a function
 * that sends the held answer after all. Express ends every answer with one `end(chunk)`, headers unsent.
 */
function catchAnswer(res: ServerResponse, caught: (send: () => void) => void): void {
  const { end } = res;
  Object.assign(res, {
    end: (...parts: unknown[]) => {
      Object.assign(res, { end });
      caught(() => Reflect.apply(end, res, parts));
      return res;
    },
  });
}
