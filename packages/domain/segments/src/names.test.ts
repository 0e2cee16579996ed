import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readSegmentNames } from './index.js';
import { parse } from './segments-test-kit.js';

describe('the names of segments', () => {
  it('are those of the rules, in their order', () => {
    const text =
      'version: 1\nsegments:\n  b: { when: features.spend_365d > 1 }\n  a: { when: features.spend_365d > 2 }\n';
    expect(readSegmentNames(text)).toEqual(['b', 'a']);
    expect(readSegmentNames(text)).toEqual([...parse(text).segments.keys()]);
  });

  it('need no feature to be known', () => {
    const path = join(__dirname, '../../../../infra/defaults/segments.yaml');
    expect(readSegmentNames(readFileSync(path, 'utf8'))).toContain('abandoned_basket');
  });
});
