import { hostLiteral, type JudgedUrl, judgeUrl, type OutboundPolicy } from './judge-url.ts';
import { OutboundRefused, type Resolve, resolveBySystem, resolveChecked } from './resolve-checked.ts';

/** The resolver does not know the name, as opposed to not answering. */
const UNKNOWN_NAME = new Set(['ENOTFOUND', 'ENODATA']);
const CHECKED_MS = 30_000;
const KEPT_MAX = 1_000;

export type TargetChecker = ReturnType<typeof createTargetChecker>;

/**
 * Judges a URL when it is handed in: its form, and every address its name resolves to. What passes is judged once more when
 * a connection is made, so an answer kept for half a minute costs nothing in safety.
 */
export function createTargetChecker(policy: OutboundPolicy, resolve: Resolve = resolveBySystem) {
  const checked = new Map<string, { untilMs: number; reason: Promise<string | undefined> }>();

  async function judgeName(name: string, patient: boolean): Promise<string | undefined> {
    try {
      await resolveChecked(name, { resolve, allowPrivate: policy.allowPrivate });
      return undefined;
    } catch (err) {
      if (err instanceof OutboundRefused) return err.message;
      const code = err instanceof Error && 'code' in err ? String(err.code) : 'unknown';
      if (!UNKNOWN_NAME.has(code) && patient) return undefined;
      return `${name} cannot be resolved (${code})`;
    }
  }

  return {
    /**
     * @param options.patient a resolver that does not answer now is no reason to refuse: the check at connection remains.
     */
    async check(text: string, options: { patient?: boolean } = {}): Promise<JudgedUrl> {
      const judged = judgeUrl(text, policy);
      if (!judged.ok || hostLiteral(judged.url) !== undefined) return judged;
      const name = judged.url.hostname;
      const patient = options.patient ?? false;
      const key = `${patient} ${name}`;
      const nowMs = Date.now();
      let known = checked.get(key);
      if (!known || known.untilMs <= nowMs) {
        if (checked.size >= KEPT_MAX) checked.clear();
        known = { untilMs: nowMs + CHECKED_MS, reason: judgeName(name, patient) };
        checked.set(key, known);
      }
      const reason = await known.reason;
      // A refusal is not kept: whoever mends a name must not wait.
      if (reason !== undefined) checked.delete(key);
      return reason === undefined ? judged : { ok: false, reason };
    },
  };
}
