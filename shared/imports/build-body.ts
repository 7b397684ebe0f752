/** Sets a value in a body under construction; lists and objects on the way are made. Paths must not collide. */
export function put(
  body: Record<string, unknown>,
  steps: readonly (string | number)[],
  value: unknown,
): void {
  let here: Record<string | number, unknown> = body;
  for (const [at, step] of steps.entries()) {
    if (at === steps.length - 1) {
      here[step] = value;
      return;
    }
    here[step] ??= typeof steps[at + 1] === 'number' ? [] : {};
    // Made one line above, now or for an earlier path.
    here = here[step] as Record<string | number, unknown>;
  }
}

/** `contact.0.id` may be empty where `contact.1.id` is not. */
export function closeGaps(body: Record<string, unknown>): void {
  for (const [field, value] of Object.entries(body)) {
    if (Array.isArray(value)) body[field] = value.filter((entry) => entry !== undefined);
  }
}
