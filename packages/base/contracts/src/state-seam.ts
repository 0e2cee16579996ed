import { Seam } from '@perennial/kernel';

/** Encodes and decodes states of any type. */
interface StateCoding<State> {
  encode(state: State): Buffer;
  decode(bytes: Buffer): State;
}

/** Turns the state coding of this release into that of another. */
export type StateWrapper = <State>(coding: StateCoding<State>) => StateCoding<State>;

/** Lets a harness simulate a release with its own state version. */
export const stateSeam = new Seam<StateWrapper>('state');
