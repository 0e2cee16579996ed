import { AppError, assert, toMessage } from '@perennial/kernel';
import { stateSeam } from './state-seam.js';

/**
 * How the states of one processor are encoded as bytes, and how the bytes of this and of earlier releases are decoded.
 * A new version takes two releases: the first one only reads it, so that the second can be rolled back to the first.
 */
export interface StateFormat<State> {
  /** Name for error messages, such as `scoring state`. */
  readonly name: string;
  /** The version that `encode` writes, 1 to 255; it is the first byte of the encoded state. */
  readonly current: number;
  /** An earlier version that `encode` writes too, for states that have nothing of what is new. */
  readonly plain?: number;
  /**
   * A decoder for each version, which returns a current state. It gets all bytes, starting with the version; throws for
   * damaged bytes.
   */
  readonly versions: Readonly<Record<number, (bytes: Buffer) => State>>;
  /** Deterministic: the same state always gives the same bytes, since two runs over one log are compared by them. */
  encode(state: State): Buffer;
}

/** The format of states that can be merged, for example when two profiles turn out to be one person. */
export interface MergeableStateFormat<State> extends StateFormat<State> {
  /** Associative and commutative, bit for bit: the order in which profiles are joined is not defined. */
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

/** The codec of a state format: everything that reads or writes such states uses it. */
export function defineState<State>(format: MergeableStateFormat<State>): MergeableState<State>;
export function defineState<State>(format: StateFormat<State>): VersionedState<State>;
export function defineState<State>(format: StateFormat<State>): VersionedState<State> {
  const { name, current, plain, versions } = format;
  assert(versions[current] !== undefined, `a release reads the ${name} that it writes`);
  const known = Object.keys(versions).join(', ');
  const wrap = stateSeam.pass();
  const coding: VersionedState<State> = {
    encode(state) {
      const bytes = format.encode(state);
      assert(bytes[0] === current || bytes[0] === plain, `a ${name} begins with its version, ${current}`);
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
