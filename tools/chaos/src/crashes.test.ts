import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { findCrashes } from './crashes.js';

const ENTRY = '{"level":"warn","error":{"stack":"Error: away\\n at x"},"message":"request failed"}';
const CRASH = [
  'node:events:502',
  '      throw er; // Unhandled event',
  '      ^',
  '',
  'Error: Connection terminated unexpectedly',
  '    at Client.emit (node:events:524:28)',
  '',
  'Node.js v20.20.0',
];

it('finds processes that ended of an error that nobody caught', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-crashes-'));
  try {
    writeFileSync(join(folder, 'scoring-4.log'), [ENTRY, ...CRASH, ENTRY, ...CRASH, ENTRY].join('\n'));
    writeFileSync(join(folder, 'action-6.log'), [ENTRY, '(node:7) Warning: of no weight', ENTRY].join('\n'));
    const crash = 'scoring-4: Error: Connection terminated unexpectedly\n    at Client.emit (node:events:524:28)';
    expect(findCrashes(folder)).toEqual([crash, crash]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
