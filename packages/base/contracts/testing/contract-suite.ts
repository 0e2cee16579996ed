import { describe, expect, it } from '@jest/globals';
import type { MergeableState, VersionedState } from '@perennial/contracts';
import fc from 'fast-check';

/** A state version that earlier releases wrote. */
export interface EarlierVersion<State> {
  readonly version: number;
  /** Frozen at the last release that wrote this version. */
  encode(state: State): Buffer;
  /** The state as this release decodes it; equal to the original when that has all fields that are needed. */
  upgrade?(state: State): State;
}

/** What every state format must do: encode deterministically, read every earlier version, merge in any order. */
export function describeStateFormat<State>(options: {
  readonly name: string;
  readonly format: VersionedState<State> | MergeableState<State>;
  readonly state: fc.Arbitrary<State>;
  readonly earlier?: ReadonlyArray<EarlierVersion<State>>;
}): void {
  const { name, format, state, earlier = [] } = options;

  describe(`state format: ${name}`, () => {
    it('gives back the state, and the same bytes for it', () => {
      fc.assert(
        fc.property(state, (before) => {
          const bytes = format.encode(before);
          const after = format.decode(bytes);
          expect(after).toEqual(before);
          expect(format.encode(after).equals(bytes)).toBe(true);
        }),
      );
    });

    it('names a version that this release does not know', () => {
      fc.assert(
        fc.property(state, (known) => {
          const newer = Buffer.from(format.encode(known));
          newer.writeUInt8(255, 0);
          expect(() => format.decode(newer)).toThrow('of version 255; this release reads');
        }),
        { numRuns: 1 },
      );
      expect(() => format.decode(Buffer.alloc(0))).toThrow('of no bytes; this release reads');
    });

    for (const { version, encode, upgrade = (before: State) => before } of earlier) {
      it(`reads version ${version} as the release wrote it that wrote it last`, () => {
        fc.assert(fc.property(state, (before) => expect(format.decode(encode(before))).toEqual(upgrade(before))));
      });
    }

    if ('merge' in format) describeMerge(format, state);
  });
}

function describeMerge<State>({ merge, encode }: MergeableState<State>, state: fc.Arbitrary<State>): void {
  it('joins states in any order, to the same bytes', () => {
    fc.assert(
      fc.property(state, state, state, (a, b, c) => {
        expect(encode(merge(a, b)).equals(encode(merge(b, a)))).toBe(true);
        expect(encode(merge(merge(a, b), c)).equals(encode(merge(a, merge(b, c))))).toBe(true);
      }),
    );
  });
}
