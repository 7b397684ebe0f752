export type Command = { raw: Buffer; args: string[] };

const CRLF = Buffer.from('\r\n');

/**
 * Cuts what a Redis client sends into commands: arrays of bulk strings, which is the only form clients use.
 * @returns a function that takes the next piece of the stream and gives the commands completed by it.
 */
export function createCommandReader(): (chunk: Buffer) => Command[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const commands: Command[] = [];
    for (let command = readCommand(rest); command; command = readCommand(rest)) {
      commands.push(command);
      rest = rest.subarray(command.raw.length);
    }
    return commands;
  };
}

/** The first command in `data`, or undefined while it is not complete. */
function readCommand(data: Buffer): Command | undefined {
  const head = readNumber(data, 0, '*');
  if (!head) return undefined;
  const args: string[] = [];
  let at = head.next;
  for (let i = 0; i < head.value; i++) {
    const length = readNumber(data, at, '$');
    if (!length) return undefined;
    const end = length.next + length.value;
    if (data.length < end + 2) return undefined;
    args.push(data.toString('latin1', length.next, end));
    at = end + 2;
  }
  return { raw: data.subarray(0, at), args };
}

function readNumber(data: Buffer, at: number, sign: string): { value: number; next: number } | undefined {
  const end = data.indexOf(CRLF, at);
  if (end < 0) return undefined;
  if (String.fromCharCode(data[at] ?? 0) !== sign)
    throw new Error(`expected ${sign} at the start of: ${data.toString('latin1', at, at + 40)}`);
  return { value: Number(data.toString('latin1', at + 1, end)), next: end + 2 };
}
