import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import {
  endProcess,
  findMarkedProcesses,
  isRunning,
  MARKER_VARIABLE,
  readProcessIdentity,
} from './process-identity.js';

function spawnSleeper(env: Record<string, string> = {}) {
  const child = spawn('sleep', ['60'], { stdio: 'ignore', env: { ...process.env, ...env } });
  return { child, identity: must(readProcessIdentity(must(child.pid, 'pid')), 'identity') };
}

describe('process identity', () => {
  it('ends the process that was recorded', async () => {
    const { identity } = spawnSleeper();
    expect(isRunning(identity)).toBe(true);
    expect(await endProcess(identity, { signal: 'SIGTERM', deadlineMs: 5_000 })).toBe('ended');
    expect(await endProcess(identity, { signal: 'SIGTERM', deadlineMs: 5_000 })).toBe('was gone');
  });

  it('never touches a stranger that has the number now', async () => {
    const { child, identity } = spawnSleeper();
    const recorded = { pid: identity.pid, startedAt: 'long ago' };
    expect(isRunning(recorded)).toBe(false);
    expect(await endProcess(recorded, { signal: 'SIGKILL', deadlineMs: 1_000 })).toBe('was gone');
    expect(isRunning(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('finds what was started under a marker', async () => {
    const marker = `test-${process.pid}`;
    const { identity } = spawnSleeper({ [MARKER_VARIABLE]: marker });
    expect(findMarkedProcesses(marker)).toEqual([identity]);
    expect(findMarkedProcesses(`${marker}-other`)).toEqual([]);
    await endProcess(identity, { signal: 'SIGKILL', deadlineMs: 5_000 });
  });
});
