/**
 * Whether an error means that the store cannot do its work now, as opposed to a fault of ours.
 * Told by name and text: ioredis has no common class for them.
 */
export function isStoreUnavailable(err: unknown): boolean {
  return isNotSent(err) || mayHaveRun(err) || isRefusedByStore(err);
}

/** The command never left this process: there was no connection. */
export function isNotSent(err: unknown): boolean {
  return err instanceof Error && /enableOfflineQueue options is false/.test(err.message);
}

/** The server said no: memory is full, it is a replica, loading, below its own replica target, or cannot write its log. */
export function isRefusedByStore(err: unknown): boolean {
  return (
    err instanceof Error &&
    /\b(OOM|READONLY|LOADING|MISCONF|NOREPLICAS|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOAUTH|WRONGPASS|NOPERM)\b/.test(
      err.message,
    )
  );
}

/** The command was sent and its answer did not come: it may have run. */
export function mayHaveRun(err: unknown): boolean {
  if (!(err instanceof Error)) return false;
  if (err.name === 'BelowReplicaTarget' || err.name === 'MaxRetriesPerRequestError') return true;
  if (err.name === 'AbortError' || err.name === 'ClusterAllFailedError') return true;
  if (
    /Command timed out|Connection is closed|Connection closed|Socket closed|command aborted/i.test(
      err.message,
    )
  )
    return true;
  const code = 'code' in err ? String(err.code) : '';
  return [
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
  ].includes(code);
}
