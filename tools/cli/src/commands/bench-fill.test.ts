import { describe, expect, it, jest } from '@jest/globals';
import { createBenchCommand } from './bench.js';

describe('bench fill', () => {
  it('fills every profile of its archive, and says how fast beside folding live', async () => {
    const written: string[] = [];
    const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const args = ['fill', '--events', '400', '--profiles', '20', '--partitions', '2', '--rounds', '1'];
    try {
      await createBenchCommand().parseAsync(args, { from: 'user' });
    } finally {
      spy.mockRestore();
    }
    expect(written.join('')).toMatch(/^fill bench: 400 events of 20 profiles in \d+ files, 18 features and 6 more/m);
    expect(written.join('')).toMatch(/^a CPU second fills \d+\.\d\d times the events that it folds live/m);
  });
});
