import { Seam } from '@perennial/kernel';

/** How states become bytes and are read, whatever they are. */
interface StateCoding<State> {
  encode(state: State): Buffer;
  decode(bytes: Buffer): State;
}

/** Makes of this release's coding that of another. */
export type StateWrapper = <State>(coding: StateCoding<State>) => StateCoding<State>;

/** Where a harness makes a release that there never was, with a version of states of its own. */
export const stateSeam = new Seam<StateWrapper>('state');
