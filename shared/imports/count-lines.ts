const LF = 0x0a;
const CR = 0x0d;

export type LineCounter = {
  /** Line the next byte stands on, from 1. */
  line: () => number;
  count: (bytes: Uint8Array) => void;
};

/** Counts physical lines over chunks; LF, CRLF and a lone CR each end one. */
export function createLineCounter(firstLine = 1): LineCounter {
  let line = firstLine;
  // A CR at the end of a chunk has been counted; the LF that may follow belongs to it.
  let afterCr = false;
  return {
    line: () => line,
    count: (bytes) => {
      if (bytes.length === 0) return;
      if (afterCr || bytes.includes(CR)) {
        for (const byte of bytes) {
          if (byte === CR || (byte === LF && !afterCr)) line++;
          afterCr = byte === CR;
        }
        return;
      }
      // Only LF: looked for by the machine instead of byte by byte.
      for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) line++;
    },
  };
}

export type LinePositions = {
  /** Takes note of the bytes that a parser is about to read. */
  add: (chunk: Uint8Array) => void;
  /** Line of a byte offset; offsets never go back, so that what is passed can be forgotten. */
  lineAt: (offset: number) => number;
  /** Bytes taken note of that lie behind the last offset asked for. */
  pendingBytes: () => number;
};

/** Line numbers of a parser that only tells how many bytes it has read. */
export function createLinePositions(firstLine: number): LinePositions {
  const counter = createLineCounter(firstLine);
  const pending: Uint8Array[] = [];
  let passed = 0;
  let pendingBytes = 0;
  return {
    add: (chunk) => {
      pending.push(chunk);
      pendingBytes += chunk.length;
    },
    lineAt: (offset) => {
      for (let first = pending[0]; first !== undefined && passed < offset; first = pending[0]) {
        const part = first.subarray(0, offset - passed);
        counter.count(part);
        passed += part.length;
        pendingBytes -= part.length;
        if (part.length === first.length) pending.shift();
        else pending[0] = first.subarray(part.length);
      }
      return counter.line();
    },
    pendingBytes: () => pendingBytes,
  };
}
