import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { parseSync } from '@swc/core';
import type { ModulePatch } from './patches.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Each patch fits its built module exactly once, and what comes of all of them can be read as code. */
export function expectToFit(patches: readonly ModulePatch[]): void {
  const texts = new Map<string, string>();
  for (const { module, find, replace } of patches) {
    const parts = (texts.get(module) ?? readFileSync(join(ROOT, module), 'utf8')).split(find);
    expect({ module, find, times: parts.length - 1 }).toEqual({ module, find, times: 1 });
    texts.set(module, parts.join(replace));
  }
  for (const text of texts.values())
    expect(() => parseSync(text, { syntax: 'ecmascript', target: 'es2023' })).not.toThrow();
}
