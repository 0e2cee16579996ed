import { readFileSync } from 'node:fs';

/** Ticks of /proc/<pid>/stat a second: fixed at 100 on Linux. */
const TICKS_PER_SECOND = 100;

/**
 * CPU seconds (user and system) that a process and its children (a model's process) have used; undefined where /proc does
 * not have them.
 */
function readCpuSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    return listChildren(pid).reduce((sum, child) => sum + (readCpuSeconds(child) ?? 0), own);
  } catch {
    return undefined;
  }
}

function listChildren(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

/** CPU seconds by name; names without a figure are left out. */
export function readCpuOf(pids: Readonly<Record<string, number>>): Record<string, number> {
  const seconds: Record<string, number> = {};
  for (const [name, pid] of Object.entries(pids)) {
    const used = readCpuSeconds(pid);
    if (used !== undefined) seconds[name] = used;
  }
  return seconds;
}
