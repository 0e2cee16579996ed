import { describe, expect, it } from '@jest/globals';
import { Seam } from './seam.js';

describe('Seam', () => {
  it('gives what was installed, and nothing in a process that ships', () => {
    const empty = new Seam<string>('log');
    expect(empty.pass()).toBeUndefined();
    const seam = new Seam<string>('log');
    seam.install('wrapper');
    expect(seam.pass()).toBe('wrapper');
    expect(seam.pass()).toBe('wrapper');
  });

  it('takes nothing once something has passed, so that no process is half broken', () => {
    const seam = new Seam<string>('log');
    seam.pass();
    expect(() => seam.install('wrapper')).toThrow('nothing has passed the log seam yet');
  });

  it('takes one thing only', () => {
    const seam = new Seam<string>('log');
    seam.install('one');
    expect(() => seam.install('two')).toThrow('nothing is installed at the log seam');
  });
});
