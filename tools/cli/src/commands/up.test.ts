import { describe, expect, it } from '@jest/globals';
import { toExitCode } from '../exit-codes.js';
import { createUpCommand } from './up.js';

describe('up', () => {
  it('rejects an unknown preset before anything is started, and names the nearest', async () => {
    const run = createUpCommand().parseAsync(['--namespace', 'trial', '--preset', 'sass'], { from: 'user' });
    const error: unknown = await run.catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
    expect(String(error)).toContain('there is no preset "sass"');
    expect(String(error)).toContain('did you mean "saas"?');
  });
});
