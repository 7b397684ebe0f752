/** Keys of uploads whose answer was not read: sent again with the same key, a file is the same import. */

const KEPT = 'dealwright.uploads';

/** @returns {Record<string, string>} */
const kept = () => JSON.parse(sessionStorage.getItem(KEPT) ?? '{}');
const keep = (/** @type {Record<string, string>} */ keys) =>
  sessionStorage.setItem(KEPT, JSON.stringify(keys));

/** The same file for the same account. @param {string} account @param {File} file */
export const nameOf = (account, file) => [account, file.name, file.size, file.lastModified].join(' ');

/** Key to send an upload with; also after the page was left, or loaded anew. @param {string} upload */
export function keyOf(upload) {
  const keys = kept();
  // `randomUUID` is not there on a page that came by plain HTTP.
  keys[upload] ??= Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
  keep(keys);
  return keys[upload];
}

/** It was taken: sent once more, it is meant once more. @param {string} upload */
export function forget(upload) {
  const { [upload]: _, ...others } = kept();
  keep(others);
}
