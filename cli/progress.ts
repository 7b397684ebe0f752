/** Where progress is shown: a line that is redrawn on a terminal, a line now and then elsewhere. */
export type Progress = {
  readonly isBar: boolean;
  /** `isDue`: worth a line of its own where lines cannot be redrawn. */
  show: (line: string, isDue?: boolean) => void;
  /** Leaves what is shown and goes on below it. */
  note: (text: string) => void;
  /** Leaves what is shown. */
  close: () => void;
};

type Output = { write: (text: string) => unknown; isTTY?: boolean; columns?: number };

/** A terminal is redrawn at most this often, a log gets a line at most that often. */
const REDRAW_MS = 100;
const LINE_MS = 10_000;

export function createProgress(output: Output, nowMs: () => number): Progress {
  const isBar = output.isTTY === true;
  let shownMs = Number.NEGATIVE_INFINITY;
  let isOpen = false;
  const close = () => {
    if (isOpen) output.write('\n');
    isOpen = false;
  };
  return {
    isBar,
    show: (line, isDue = false) => {
      const now = nowMs();
      if (!isDue && now - shownMs < (isBar ? REDRAW_MS : LINE_MS)) return;
      shownMs = now;
      if (!isBar) return void output.write(`${line}\n`);
      isOpen = true;
      // Never wider than the terminal: a line that wraps cannot be redrawn.
      output.write(`\r\u001b[2K${line.slice(0, (output.columns ?? 80) - 1)}`);
    },
    note: (text) => {
      close();
      output.write(`${text}\n`);
    },
    close,
  };
}
