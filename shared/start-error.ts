/** A process cannot start, and a person can mend it: the message is for them, and says how. */
export class StartError extends Error {
  override name = 'StartError';
}
