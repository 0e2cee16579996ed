import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { InferenceSession } from './runtime.js';

describe('runtime', () => {
  it('is loaded with its telemetry off', () => {
    expect(InferenceSession).toBeDefined();
    expect(process.env.ORT_DISABLE_TELEMETRY).toBe('1');
  });

  it('is the only way to the library', () => {
    const sources = readdirSync(import.meta.dirname).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
    );
    const importers = sources.filter((name) =>
      /from 'onnxruntime-node'/.test(readFileSync(join(import.meta.dirname, name), 'utf8')),
    );
    expect(importers).toEqual(['runtime.ts']);
  });
});
