import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import { endProcess, findMarkedProcesses, isRunning, MARKER_VARIABLE, readProcessRef } from './process-ref.js';

function spawnSleeper(env: Record<string, string> = {}) {
  const child = spawn('sleep', ['60'], { stdio: 'ignore', env: { ...process.env, ...env } });
  return { child, ref: must(readProcessRef(must(child.pid, 'pid')), 'ref') };
}

describe('a reference to a process', () => {
  it('ends the process that was recorded', async () => {
    const { ref } = spawnSleeper();
    expect(isRunning(ref)).toBe(true);
    expect(await endProcess(ref, { signal: 'SIGTERM', deadlineMs: 5_000 })).toBe('ended');
    expect(await endProcess(ref, { signal: 'SIGTERM', deadlineMs: 5_000 })).toBe('was gone');
  });

  it('never touches a stranger that has the number now', async () => {
    const { child, ref } = spawnSleeper();
    const recorded = { pid: ref.pid, startedAt: 'long ago' };
    expect(isRunning(recorded)).toBe(false);
    expect(await endProcess(recorded, { signal: 'SIGKILL', deadlineMs: 1_000 })).toBe('was gone');
    expect(isRunning(ref)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('finds what was started under a marker', async () => {
    const marker = `test-${process.pid}`;
    const { ref } = spawnSleeper({ [MARKER_VARIABLE]: marker });
    expect(findMarkedProcesses(marker)).toEqual([ref]);
    expect(findMarkedProcesses(`${marker}-other`)).toEqual([]);
    await endProcess(ref, { signal: 'SIGKILL', deadlineMs: 5_000 });
  });
});
