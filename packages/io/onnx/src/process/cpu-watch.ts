import { readFileSync } from 'node:fs';
import { type Clock, every, systemClock } from '@perennial/kernel';

/** Ticks of /proc/<pid>/stat a second: fixed at 100 on Linux. */
const MS_PER_TICK = 10;
const INTERVAL_MS = 100;

/** Looks in a row that see a stopped process: after Ctrl-Z this process may be continued before that one. */
const STOPS_MAX = 5;

/** CPU time and wait that one question to a process may take. */
export interface AnswerBudget {
  readonly cpuMsMax: number;
  readonly answerMsMax: number;
}

export interface Exceeded {
  readonly message: string;
  /** False when the process did not use the CPU time that it may have. */
  readonly isBusy: boolean;
}

/**
 * Calls `onExceeded` once, with the reason, when the process has used up its CPU time, has not answered in time or is
 * stopped (SIGSTOP); returns the end of the watch, which gives the CPU time seen. The first look comes after 100 ms, so a quick run costs a timer and nothing else. Where the CPU time of other
 * processes is not known (no /proc), the wait alone counts.
 */
export function watchAnswer(
  pid: number,
  { cpuMsMax, answerMsMax }: AnswerBudget,
  onExceeded: (exceeded: Exceeded) => void,
  clock: Clock = systemClock,
): () => number {
  const startedMs = clock.steadyMs();
  let first: ProcessStat | undefined;
  let stops = 0;
  const toUsedMs = (now = readStat(pid)) => (now?.cpuMs ?? 0) - (first?.cpuMs ?? 0);
  const look = async () => {
    const now = readStat(pid);
    first ??= now;
    stops = now?.isStopped === true ? stops + 1 : 0;
    const isBusy = toUsedMs(now) > cpuMsMax;
    if (!isBusy && stops < STOPS_MAX && clock.steadyMs() - startedMs <= answerMsMax) return;
    void watch.stop();
    if (isBusy) onExceeded({ message: `it needs more than ${cpuMsMax} ms of CPU time`, isBusy });
    else if (stops > 0) onExceeded({ message: 'it was stopped by a signal', isBusy });
    else onExceeded({ message: `it gave no answer within ${answerMsMax} ms`, isBusy });
  };
  const watch = every({ intervalMs: INTERVAL_MS, clock, onError: throwLater }, look);
  return () => {
    void watch.stop();
    return first === undefined ? 0 : Math.max(0, toUsedMs());
  };
}

/** Reading a file and reporting do not throw: what does is a defect, which must not pass in silence. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

interface ProcessStat {
  /** User and system. */
  readonly cpuMs: number;
  readonly isStopped: boolean;
}

/** Undefined where /proc does not have the process. */
function readStat(pid: number): ProcessStat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK, isStopped: fields[0] === 'T' };
  } catch {
    return undefined;
  }
}
