import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createExternalGraph, createNestedGraph, createShortGraph, createTrapGraph } from '../testing/index.js';
import { listFileProblems } from './file-problems.js';
import { GRAPH_BYTES_MAX } from './limits.js';

const DEFAULT = readFileSync(join(__dirname, '../../../../trainer/models/default/model.onnx'));
const EXTERNAL = 'it keeps numbers in another file (external data): save it as one file';

describe('listFileProblems', () => {
  it.each([
    ['the default model', DEFAULT],
    ['branches and loops', createTrapGraph(3, 'loop')],
    ['another number of rows, which the runtime shows', createShortGraph(3)],
    ['branches 12 deep', createNestedGraph(3, 12)],
  ])('has nothing against %s', (_, file) => {
    expect(listFileProblems(file)).toEqual([]);
  });

  it.each([
    ['a file that is too large', Buffer.alloc(GRAPH_BYTES_MAX + 1), /^it has 1073741825 bytes, 1073741824 at most/],
    ['text', Buffer.from('not a model'), /^it is no ONNX file: /],
    ['a file cut short', DEFAULT.subarray(0, 5_000), /^it is no ONNX file: the message ends too soon$/],
    ['branches 200 deep', createNestedGraph(3, 200), /^its graphs are nested more than 16 deep$/],
    ['numbers in a file beside it', createExternalGraph(3, 'weights.bin'), EXTERNAL],
    ['numbers anywhere on the machine', createExternalGraph(3, '../../etc/passwd'), EXTERNAL],
  ])('rejects %s', (_, file, problem) => {
    expect(listFileProblems(file)).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
  });

  it('ends on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(DEFAULT.length - 1), (noise, at) => {
        listFileProblems(Buffer.from(noise));
        const damaged = Buffer.from(DEFAULT);
        damaged.set(noise.subarray(0, DEFAULT.length - at), at);
        listFileProblems(damaged);
      }),
      { seed: 15, numRuns: 300 },
    );
  });
});
