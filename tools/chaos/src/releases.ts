import type { ProcessorName } from '@perennial/contracts';
import type { ModulePatch } from './patches.js';

/*
 * Releases of the processors that there never were, made of the present one by patches. The first reads the state version
 * after the present one, and writes the present one. The second writes it, and a protobuf field that the present one does
 * not know, in its states and its records. This is the order in which a version of states has to be brought in.
 */

/** What is changed in one processor. */
export interface Release {
  readonly reads: readonly ModulePatch[];
  readonly writes: readonly ModulePatch[];
}

const STATE_FORMAT = 'packages/base/contracts/dist/state-format.js';
const FEATURE_RECORD = 'packages/base/contracts/dist/generated/perennial/v1/feature.js';
const SCORE_RECORD = 'packages/base/contracts/dist/generated/perennial/v1/score.js';

/** Field 2047 of both records, a string; the next version of a state has the same one byte more at its end. */
const FIELD_TAG = (2047 << 3) | 2;
const FIELD = 7;

/** The version of states that each processor writes at present. */
const PRESENT_VERSIONS: Readonly<Record<ProcessorName, number>> = { 'feature-store': 1, scoring: 1, action: 3 };

const READS_NEXT: ModulePatch = {
  module: STATE_FORMAT,
  find: 'const { name, current, versions } = format;',
  replace: `const { name, current } = format;
    const toPresent = (bytes) => format.versions[current](Buffer.concat([Buffer.of(current), bytes.subarray(1, -1)]));
    const versions = { ...format.versions, [current + 1]: toPresent };`,
};

const WRITES_NEXT: ModulePatch = {
  module: STATE_FORMAT,
  find: 'return bytes;',
  replace: `return Buffer.concat([Buffer.of(current + 1), bytes.subarray(1), Buffer.of(${FIELD})]);`,
};

/** A state as the present release would have written it, so that the states of a run that was upgraded can be compared. */
export function toPresentState(processor: ProcessorName, bytes: Buffer): Buffer {
  const present = PRESENT_VERSIONS[processor];
  return bytes[0] === present + 1 ? Buffer.concat([Buffer.of(present), bytes.subarray(1, -1)]) : bytes;
}

/** The next release but one of each processor, and the one before it, which only reads what that will write. */
export const RELEASES: Readonly<Record<ProcessorName, Release>> = {
  'feature-store': {
    reads: [READS_NEXT],
    writes: [WRITES_NEXT, toFieldPatch(FEATURE_RECORD, 'if (message.specHash !== "") {')],
  },
  scoring: {
    reads: [READS_NEXT],
    writes: [
      WRITES_NEXT,
      toFieldPatch(SCORE_RECORD, 'if (message.modelHash !== "") {'),
      toFieldPatch(FEATURE_RECORD, 'if (message.specHash !== "") {'),
    ],
  },
  action: { reads: [READS_NEXT], writes: [WRITES_NEXT] },
};

function toFieldPatch(module: string, find: string): ModulePatch {
  return { module, find, replace: `writer.uint32(${FIELD_TAG}).string('new'); ${find}` };
}
