import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { exportTrainingRows } from './export-training-rows.js';

const root = mkdtempSync(join(tmpdir(), 'training-rows-'));
afterAll(() => rmSync(root, { recursive: true }));

const history = join(root, 'history.csv');
writeFileSync(
  history,
  `user_id,ts,event_type,item_id,session_id,quantity,value,extra
u1,2024-01-01T00:00:00Z,Invoice Paid,,,,10,
u1,2024-02-01T00:00:00Z,Invoice Paid,,,,12.5,
u1,2024-02-02T00:00:00Z,Signed In,,,,100,
u2,2024-01-01T00:00:00Z,Signed In,,,,,
u2,2024-05-01T00:00:00Z,Signed In,,,,,
`,
);

describe('rows from a history file', () => {
  it('have the orders of the spec as labels', async () => {
    const out = join(root, 'rows.csv');
    const features = fileURLToPath(new URL('../../../infra/presets/saas/features.yaml', import.meta.url));
    const typed = ['--history', history, '--features', features, '--cutoff', '2024-01-10', '--out', out];
    const summary = await exportTrainingRows(typed);
    expect(summary.rows).toEqual({ '2024-01-10T00:00:00.000Z': { rows: 1, purchased: 1 } });
    const [, row, ...others] = readFileSync(out, 'utf8').trim().split('\n');
    expect(row).toMatch(/^u1,2024-01-10T00:00:00\.000Z,.*,1,12\.5$/);
    expect(others).toEqual([]);
  });

  it('are not written under a spec that says nothing about orders', async () => {
    const out = join(root, 'none.csv');
    const features = join(root, 'visits.yaml');
    writeFileSync(features, 'version: 1\nfeatures: { visits: { unit: events, aggregation: count } }\n');
    const typed = ['--history', history, '--features', features, '--cutoff', '2024-01-10', '--out', out];
    await expect(exportTrainingRows(typed)).rejects.toThrow('it has no feature orders_count_all');
    expect(existsSync(out)).toBe(false);
  });
});
