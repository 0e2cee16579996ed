import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { toLayout } from '@perennial/native-stack';
import { comparePolicies } from '@perennial/policy';
import { requirePolicy } from '../policy/read-policy.js';
import { TRIAL, writeDemoPolicy } from './demo-policy.js';

describe('the policy of the demo', () => {
  const { root } = toLayout();
  const folder = join(mkdtempSync(join(tmpdir(), 'demo-policy-')), 'new');
  afterAll(() => rmSync(join(folder, '..'), { recursive: true }));
  const path = join(folder, 'policy.yaml');

  it('is the default one and an experiment of four arms', () => {
    expect(writeDemoPolicy({ root, folder, chosen: undefined })).toBe(path);
    const policy = requirePolicy(path);
    expect(comparePolicies(requirePolicy('default'), policy)).toEqual([
      { part: 'experiment', name: TRIAL, change: 'added', keys: [] },
    ]);
    const trial = policy.experimentOf.get('welcome');
    expect(trial?.arms.map(({ name }) => name)).toEqual(['learned', 'random', 'usual', 'holdout']);
    expect(trial?.control).toBe('usual');
  });

  it('is written again for a second demo, and never over the choice of somebody', () => {
    const text = readFileSync(path, 'utf8');
    expect(writeDemoPolicy({ root, folder, chosen: path })).toBe(path);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(writeDemoPolicy({ root, folder, chosen: '/mine/policy.yaml' })).toBeUndefined();
  });
});
