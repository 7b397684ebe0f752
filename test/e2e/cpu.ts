import { readFileSync } from 'node:fs';
import type { RunningProcess } from '../support/processes.ts';

/** Clock ticks of /proc/PID/stat: fixed at 100 a second on Linux. */
const MS_PER_TICK = 10;

/** CPU time of a process so far, in milliseconds; its guard's children are added up. Linux only. */
export function cpuMsOf({ child }: RunningProcess): number {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
  return children.filter(Boolean).reduce((sum, pid) => sum + ticksOf(pid) * MS_PER_TICK, 0);
}

function ticksOf(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
