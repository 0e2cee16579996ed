import type { ModulePatch } from './patches.js';
import type { ProcessorName } from './result.js';

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

const FEATURE_STATE = 'services/feature-store/dist/domain/profile-state.js';
const SCORING_STATE = 'services/scoring/dist/domain/state-codec.js';
const ACTION_STATE = 'services/action/dist/domain/action-state.js';
const FEATURE_RECORD = 'packages/base/contracts/dist/generated/perennial/v1/feature.js';
const SCORE_RECORD = 'packages/base/contracts/dist/generated/perennial/v1/score.js';

/** Field 2047 of both records, a string; the field of the new states has the same one byte or number. */
const FIELD_TAG = (2047 << 3) | 2;
const FIELD = 7;

/** Version 2 of a binary state is version 1 with a byte more at its end. */
function toFirstVersion(bytes: Buffer): Buffer {
  return bytes[0] === 2 ? Buffer.concat([Buffer.from([1]), bytes.subarray(1, -1)]) : bytes;
}

/** Version 3 of action's states is version 2 with an element more at its end. */
function toSecondVersion(stored: readonly unknown[]): readonly unknown[] {
  return stored[0] === 3 ? [2, ...stored.slice(1, -1)] : stored;
}

/** A state as the present release would have written it, so that the states of a run that was upgraded can be compared. */
export const toPresentState: Readonly<Record<ProcessorName, (bytes: Buffer) => Buffer>> = {
  'feature-store': toFirstVersion,
  scoring: toFirstVersion,
  action: (bytes) => Buffer.from(JSON.stringify(toSecondVersion(JSON.parse(bytes.toString()) as unknown[]))),
};

/** The next release but one of each processor, and the one before it, which only reads what that will write. */
export const RELEASES: Readonly<Record<ProcessorName, Release>> = {
  'feature-store': {
    reads: [
      {
        module: FEATURE_STATE,
        find: 'export function decodeProfileState(bytes) {',
        replace: `export function decodeProfileState(bytes) { bytes = (${toFirstVersion})(bytes);`,
      },
    ],
    writes: [
      {
        module: FEATURE_STATE,
        find: 'return bytes;',
        replace: `bytes[0] = 2; return Buffer.concat([bytes, Buffer.from([${FIELD}])]);`,
      },
      toFieldPatch(FEATURE_RECORD, 'if (message.specHash !== "") {'),
    ],
  },
  scoring: {
    reads: [
      {
        module: SCORING_STATE,
        find: 'read(new BinaryReader(bytes))',
        replace: `read(new BinaryReader((${toFirstVersion})(bytes)))`,
      },
    ],
    writes: [
      { module: SCORING_STATE, find: 'writer.uint32(VERSION)', replace: 'writer.uint32(2)' },
      { module: SCORING_STATE, find: 'return writer;', replace: `return writer.uint32(${FIELD});` },
      toFieldPatch(SCORE_RECORD, 'if (message.modelHash !== "") {'),
      toFieldPatch(FEATURE_RECORD, 'if (message.specHash !== "") {'),
    ],
  },
  action: {
    reads: [
      {
        module: ACTION_STATE,
        find: "JSON.parse(bytes.toString('utf8'))",
        replace: `(${toSecondVersion})(JSON.parse(bytes.toString('utf8')))`,
      },
    ],
    writes: [
      {
        module: ACTION_STATE,
        find: 'JSON.stringify(stored)',
        replace: `JSON.stringify([3, ...stored.slice(1), ${FIELD}])`,
      },
    ],
  },
};

function toFieldPatch(module: string, find: string): ModulePatch {
  return { module, find, replace: `writer.uint32(${FIELD_TAG}).string('new'); ${find}` };
}
