import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CRASH_POINT_PATCHES } from './crash-points.js';

const ROOT = join(__dirname, '../../..');

describe('patches that make crash points', () => {
  it.each(CRASH_POINT_PATCHES.map((patch) => [patch.module, patch] as const))('%s has the place once', (_, patch) => {
    const parts = readFileSync(join(ROOT, patch.module), 'utf8').split(patch.find);
    expect(parts).toHaveLength(2);
  });
});

describe('a crash point', () => {
  let folder: string;
  let wanted: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'crash-points-'));
    wanted = join(folder, 'wanted');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What a process has done when it ends: two records in one commit, then published. */
  function run() {
    const script = `
      const say = (what) => async (_, list) => process.stdout.write(what + (list ?? _).length + '\\n');
      (async () => {
        await chaosCrashPoints.commit({ commit: say('committed ') }, 'fence', [1, 2]);
        await chaosCrashPoints.send({ send: say('sent ') }, [1, 2]);
        process.stdout.write('lived');
      })();`;
    const preload = join(__dirname, '../preload/crash-points.cjs');
    const env = { ...process.env, CHAOS_CRASH_POINT_FILE: wanted };
    const { stdout, signal } = spawnSync(process.execPath, ['--require', preload, '--eval', script], {
      env,
      encoding: 'utf8',
    });
    return { signal, done: stdout.split('\n').filter(Boolean), isStillWanted: existsSync(wanted) };
  }

  it.each([
    ['before commit', []],
    ['after commit', ['committed 2']],
    ['in mid publish', ['committed 2', 'sent 1']],
    ['after publish', ['committed 2', 'sent 2']],
  ])('%s ends the process there, once', (point, done) => {
    writeFileSync(wanted, point);
    expect(run()).toEqual({ signal: 'SIGKILL', done, isStillWanted: false });
    expect(run()).toEqual({ signal: null, done: ['committed 2', 'sent 2', 'lived'], isStillWanted: false });
  });
});
