import type { Candidate, FindRequest, Found, Looked } from '../../shared/providers/port.ts';

export type RemoteRecord = { id: string; content: string; marker: string | undefined; createdMs: number };

/** A CRM whose truth is at hand: records by content, with the marker of whoever made them where the account has one. */
export function createModelProvider() {
  const records: RemoteRecord[] = [];

  function toFound(request: FindRequest, by: 'marker' | 'content' | 'native_key'): Found {
    const { marker } = request;
    const wanted = JSON.stringify(request.plan.content);
    const matching = records.filter((record) =>
      marker
        ? record.marker === marker.value
        : record.content === wanted && record.createdMs >= request.sentAtProviderMs,
    );
    const candidates = matching.map(
      ({ id }): Candidate => ({ remoteId: id, url: '', why: '', matches: true }),
    );
    if (candidates.length === 0) return { kind: 'none', trustworthy: true, candidates };
    return { kind: 'found', by, candidates, trustworthy: true };
  }

  return {
    records,
    /** A plain create makes a record each time; one by unique key only the first time. */
    create(content: string, marker: string | undefined, unique: boolean, nowMs: number): string {
      const known = unique ? records.find((record) => record.marker === marker) : undefined;
      if (known) return known.id;
      const id = `r${records.length + 1}`;
      records.push({ id, content, marker, createdMs: nowMs });
      return id;
    },
    find(request: FindRequest): Looked<Found> {
      const kind = request.marker?.kind;
      const by = kind === undefined ? 'content' : kind === 'external_id' ? 'native_key' : 'marker';
      return { ok: true, value: toFound(request, by) };
    },
  };
}
