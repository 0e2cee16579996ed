import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from '@perennial/kernel';

/** Pid and start time of a process, which distinguish it from any later process with the same pid. */
export interface ProcessRef {
  readonly pid: number;
  /** Opaque; compare for equality only. */
  readonly startedAt: string;
}

/** Environment variable that marks the processes we start, so that an orphan whose pid was never recorded is found. */
export const MARKER_VARIABLE = 'PERENNIAL_PROCESS';

const POLL_MS = 20;

/** The process that has this pid now; undefined for none (a zombie counts as none). */
export function readProcessRef(pid: number): ProcessRef | undefined {
  return process.platform === 'linux' ? readFromProc(pid) : readFromPs(pid);
}

/** True while the very process that was recorded still runs. */
export function isRunning(ref: ProcessRef): boolean {
  return readProcessRef(ref.pid)?.startedAt === ref.startedAt;
}

/** Sends SIGTERM to a process and kills it at the deadline; another process with the same pid is left alone. */
export async function endProcess(
  ref: ProcessRef,
  { signal, deadlineMs }: { signal: NodeJS.Signals; deadlineMs: number },
): Promise<'was gone' | 'ended' | 'killed'> {
  if (!sendSignal(ref, signal)) return 'was gone';
  if (await waitForEnd(ref, deadlineMs)) return 'ended';
  sendSignal(ref, 'SIGKILL');
  await waitForEnd(ref, deadlineMs);
  return 'killed';
}

/** Sends a signal if the recorded process still runs; false when it does not. */
export function sendSignal(ref: ProcessRef, signal: NodeJS.Signals): boolean {
  if (!isRunning(ref)) return false;
  try {
    process.kill(ref.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Processes that were started with this marker, recorded or not (Linux only; elsewhere none are found). */
export function findMarkedProcesses(marker: string): ProcessRef[] {
  if (process.platform !== 'linux') return [];
  const wanted = `${MARKER_VARIABLE}=${marker}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readText(`/proc/${name}/environ`)?.split('\0').includes(wanted))
    .map((name) => readProcessRef(Number(name)))
    .filter((ref) => ref !== undefined);
}

async function waitForEnd(ref: ProcessRef, deadlineMs: number): Promise<boolean> {
  const deadline = systemClock.steadyMs() + deadlineMs;
  while (isRunning(ref)) {
    if (systemClock.steadyMs() >= deadline) return false;
    await systemClock.wait(POLL_MS);
  }
  return true;
}

function readFromProc(pid: number): ProcessRef | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // "pid (name, which may hold anything) state ppid ...": count fields after the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startedAt: `${readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}:${fields[19]}` };
}

function readFromPs(pid: number): ProcessRef | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    if (line === '' || line.startsWith('Z')) return undefined;
    return { pid, startedAt: line.replace(/^\S+\s+/, '') };
  } catch {
    // ps exits with 1 when there is no such process.
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended in the meantime, or belongs to another user.
    return undefined;
  }
}
