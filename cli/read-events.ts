/** One server-sent event. */
export type ServerEvent = { type: string; data: string; id?: string };

/**
 * Server-sent events of a stream of bytes, however it is cut.
 * @param onBytes called for whatever comes, comments included.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export async function* readEvents(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onBytes: () => void = () => {},
): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  let event: Partial<ServerEvent> = {};
  for await (const chunk of bytes) {
    onBytes();
    rest += decoder.decode(chunk, { stream: true });
    // A CR at the end may be half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') {
        event = addLine(event, line);
        continue;
      }
      if (event.data !== undefined) yield { type: event.type ?? 'message', data: event.data, id: event.id };
      event = {};
    }
  }
}

function addLine(event: Partial<ServerEvent>, line: string): Partial<ServerEvent> {
  const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
  switch (name) {
    case 'event':
      return { ...event, type: value };
    case 'data':
      return { ...event, data: event.data === undefined ? value : `${event.data}\n${value}` };
    case 'id':
      return { ...event, id: value };
    default:
      return event;
  }
}
