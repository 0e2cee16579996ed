import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startDaemon } from './daemon.js';
import { describeLogTails, putLargeOutputAside } from './log-files.js';
import { endProcess, findMarkedProcesses, isRunning } from './process-ref.js';

const LIMITS = { bytesMax: 10, filesKept: 3, intervalSeconds: 1 };

describe('log files of a stack', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'logs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are put aside before a start once they are large, and only so many are kept', () => {
    const path = join(folder, 'redis.log');
    putLargeOutputAside(path, LIMITS);
    for (let i = 0; i < 6; i++) {
      writeFileSync(path, `run ${i} ${'x'.repeat(10)}`);
      putLargeOutputAside(path, LIMITS);
    }
    const kept = ['.1', '.2', '.3'].map((suffix) => readFileSync(`${path}${suffix}`, 'utf8').slice(0, 5));
    expect(kept).toEqual(['run 5', 'run 4', 'run 3']);
    expect([path, `${path}.4`].map((file) => existsSync(file))).toEqual([false, false]);
    writeFileSync(path, 'small');
    putLargeOutputAside(path, LIMITS);
    expect(readFileSync(path, 'utf8')).toBe('small');
  });

  it('are kept small while a process writes without end, and its last lines are there', async () => {
    const path = join(folder, 'it', 'chatty.log');
    const bytesMax = 64 * 1024;
    const writer = 'let n = 0; setInterval(() => console.log(String(n++).padEnd(1023)), 1)';
    const ref = await startDaemon({
      command: process.execPath,
      args: ['-e', writer],
      cwd: folder,
      env: process.env,
      marker: folder,
      logFile: path,
      logLimits: { bytesMax, filesKept: 2, intervalSeconds: 0.1 },
    });
    const names = () => readdirSync(join(folder, 'it')).sort();
    const isKept = () => names().join() === 'chatty.log,chatty.log.1,chatty.log.2';
    try {
      await until(isKept);
      const last = Number(readFileSync(`${path}.1`, 'utf8').trimEnd().split('\n').at(-1)?.trim());
      expect(last).toBeGreaterThan(bytesMax / 1024);
      // Ten looks at most without CPU: 1 MB a second is all that it writes.
      for (const name of names())
        expect(statSync(join(folder, 'it', name)).size).toBeLessThan(bytesMax + 10 * 1024 * 1024);
      expect(statSync(`${path}.2`).mode & 0o777).toBe(0o600);
      await until(isKept);
      // Its keeper is no second process of its name.
      expect(findMarkedProcesses(folder)).toHaveLength(process.platform === 'linux' ? 1 : 0);
    } finally {
      await endProcess(ref, { signal: 'SIGKILL', deadlineMs: 5_000 });
    }
    expect(isRunning(ref)).toBe(false);
    await until(() => !findArguments(path));
  });

  it('are shown from the end', () => {
    writeFileSync(join(folder, 'one.log'), 'one\n');
    expect(describeLogTails([join(folder, 'none'), join(folder, 'one.log')])).toBe(
      `; log: ${join(folder, 'none')}; the end of ${join(folder, 'one.log')}:\n  | one`,
    );
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Whether a process has this among its arguments. */
function findArguments(text: string): boolean {
  return execFileSync('ps', ['-e', '-o', 'args='], { encoding: 'utf8' }).includes(` ${text} `);
}
