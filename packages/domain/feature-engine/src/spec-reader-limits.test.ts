import { describe, expect, it } from '@jest/globals';
import { requireFeatureSpec } from './spec-reader.js';

describe('a spec with very many problems', () => {
  it('lists the first and counts the others', () => {
    const keys = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key_${i}`, 1]));
    const spec = JSON.stringify({ version: 1, features: [{}], ...keys });
    let message = '';
    try {
      requireFeatureSpec(Buffer.from(spec));
    } catch (error) {
      message = (error as Error).message;
    }
    const lines = message.split('\n');
    expect(lines).toHaveLength(21);
    expect(lines[20]).toMatch(/^and 4,98\d more$/);
  });
});
