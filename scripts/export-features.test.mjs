import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'perennial-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('prints no control character that a file or its name has', () => {
  const osc = '\u001b]0;owned\u0007';
  const name = join(folder, 'h\u009b31m.csv');
  writeFileSync(name, `user_id,ts,event_type,${osc},${osc}\nu,2024-01-01,purchase,1,2\n`);
  const args = ['--history', name, '--cutoff', `2024-01-02${osc}`, '--out', join(folder, 'out.csv')];
  for (const cutoff of [args[3], '2024-01-02']) {
    const given = args.with(3, cutoff);
    const script = join(import.meta.dirname, 'export-features.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...given], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).not.toBe('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});
