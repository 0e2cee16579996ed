import { AppError, assert, toMessage } from '@perennial/kernel';
import { stateSeam } from './state-seam.js';

/**
 * How the states of one processor become bytes: as this release writes them, and as it and the releases before it wrote
 * them. A new version takes two releases, the first of which only reads it, so that one can go back to the other.
 */
export interface StateFormat<State> {
  /** Names it in errors, such as `scoring state`. */
  readonly name: string;
  /** The version that `encode` writes, 1 to 255: the first byte of whatever it writes. */
  readonly current: number;
  /** By version, what reads it into a state of today. Gets all bytes, the version first; throws for damaged ones. */
  readonly versions: Readonly<Record<number, (bytes: Buffer) => State>>;
  /** The same state always gives the same bytes, since two runs over one log are compared by them. */
  encode(state: State): Buffer;
}

/** The format of states that can be joined, as those of two profiles are that turn out to be one person. */
export interface MergeableStateFormat<State> extends StateFormat<State> {
  /** Associative and commutative, bit for bit: nobody decides in which order profiles are joined. */
  merge(left: State, right: State): State;
}

/** States as a processor stores and reads them. */
export interface VersionedState<State> {
  encode(state: State): Buffer;
  /** Throws `contract_violation` for damaged bytes and for versions that this release does not know. */
  decode(bytes: Buffer): State;
}

export interface MergeableState<State> extends VersionedState<State> {
  merge(left: State, right: State): State;
}

/** States of one format: whatever reads or writes them goes through what this gives. */
export function defineState<State>(format: MergeableStateFormat<State>): MergeableState<State>;
export function defineState<State>(format: StateFormat<State>): VersionedState<State>;
export function defineState<State>(format: StateFormat<State>): VersionedState<State> {
  const { name, current, versions } = format;
  assert(versions[current] !== undefined, `a release reads the ${name} that it writes`);
  const known = Object.keys(versions).join(', ');
  const wrap = stateSeam.pass();
  const coding: VersionedState<State> = {
    encode(state) {
      const bytes = format.encode(state);
      assert(bytes[0] === current, `a ${name} begins with its version, ${current}`);
      return bytes;
    },
    decode(bytes) {
      const version = bytes[0];
      const read = version === undefined ? undefined : versions[version];
      if (read === undefined) {
        const found = version === undefined ? 'no bytes' : `version ${version}`;
        throw new AppError('contract_violation', `${name} of ${found}; this release reads ${known}`);
      }
      try {
        return read(bytes);
      } catch (cause) {
        throw new AppError('contract_violation', `${name} cannot be read: ${toMessage(cause)}`, { cause });
      }
    },
  };
  return { ...format, ...(wrap?.(coding) ?? coding) };
}
