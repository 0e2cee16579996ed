import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ModulePatch, PATCH_MODULES_OPTION, toPatchEnvironment } from './patches.js';

describe('a patched module', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'patches-'));
    writeFileSync(join(folder, 'rule.mjs'), "export const rule = 'whole';\n");
    writeFileSync(join(folder, 'main.mjs'), "import { rule } from './rule.mjs';\nprocess.stdout.write(rule);\n");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function run(patches: readonly ModulePatch[]) {
    const env = { ...process.env, NODE_OPTIONS: PATCH_MODULES_OPTION, ...toPatchEnvironment(patches) };
    return spawnSync(process.execPath, [join(folder, 'main.mjs')], { env, encoding: 'utf8' });
  }

  it('is loaded as it is without a patch, and changed by one', () => {
    expect(run([]).stdout).toBe('whole');
    expect(run([{ module: 'rule.mjs', find: 'whole', replace: 'broken' }]).stdout).toBe('broken');
  });

  it('does not load when a patch does not fit it exactly once', () => {
    const { status, stderr } = run([{ module: 'rule.mjs', find: 'gone', replace: '' }]);
    expect(status).not.toBe(0);
    expect(stderr).toContain('patch of rule.mjs: found 0 times, not once: gone');
  });
});
