import { readFileSync } from 'node:fs';

/** Ticks of /proc/<pid>/stat a second: fixed at 100 on Linux. */
const MS_PER_TICK = 10;
const INTERVAL_MS = 100;

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
 * Calls `onExceeded` once, with the reason, when the process has used up its CPU time, or has not answered in time; returns the end of the
 * watch. The first look comes after 100 ms, so a quick run costs a timer and nothing else. Where the CPU time of other
 * processes is not known (no /proc), the wait alone counts.
 */
export function watchAnswer(
  pid: number,
  { cpuMsMax, answerMsMax }: AnswerBudget,
  onExceeded: (exceeded: Exceeded) => void,
): () => void {
  const startedMs = performance.now();
  let firstCpuMs: number | undefined;
  const timer = setInterval(() => {
    const cpuMs = readCpuMs(pid) ?? 0;
    firstCpuMs ??= cpuMs;
    const isBusy = cpuMs - firstCpuMs > cpuMsMax;
    if (!isBusy && performance.now() - startedMs <= answerMsMax) return;
    clearInterval(timer);
    const message = isBusy
      ? `it needs more than ${cpuMsMax} ms of CPU time`
      : `it gave no answer within ${answerMsMax} ms`;
    onExceeded({ message, isBusy });
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}

/** CPU time (user and system) that a process has used; undefined where /proc does not have it. */
function readCpuMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return undefined;
  }
}
