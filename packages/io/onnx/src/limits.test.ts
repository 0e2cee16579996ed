import { describe, expect, it } from '@jest/globals';
import { GRAPH_BYTES_MAX, TRIAL_LIMITS, withFile } from './limits.js';

const MIB = 1024 * 1024;

describe('the limits for a graph of some size', () => {
  it('are as they stand for a common file', () => {
    expect(withFile(TRIAL_LIMITS, 64 * MIB)).toEqual(TRIAL_LIMITS);
  });

  it('grow with a large file where its size costs, and not for its runs', () => {
    const limits = withFile(TRIAL_LIMITS, 164 * MIB);
    expect(limits).toEqual({
      ...TRIAL_LIMITS,
      loadCpuMsMax: TRIAL_LIMITS.loadCpuMsMax + 1_500,
      loadAnswerMsMax: TRIAL_LIMITS.loadAnswerMsMax + 15_000,
      memoryBytesMax: TRIAL_LIMITS.memoryBytesMax + 500 * MIB,
    });
  });

  it('end far below what protobuf can hold', () => expect(GRAPH_BYTES_MAX).toBeLessThan(2 ** 31 - 1));
});
