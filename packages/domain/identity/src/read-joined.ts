import { AppError, must } from '@perennial/kernel';
import { type Stored, type StoredNode, toParts } from './stored.js';

/** Forwarders on the way to a profile; each is stronger than the one before, so paths are short. */
const HOPS_MAX = 16;

/** A key's state, with whatever else a reader of states gives. */
interface Read<State extends object> {
  readonly state: Stored<State> | undefined;
}

/**
 * Reads profiles in the order of the keys. One that has joined another is read there: one more read for each forwarder on
 * the way, all of one round at once. While a hand-over is on its way the profile has not all events yet. Throws
 * `contract_violation` for a path that is too long, which only forged records make.
 */
export async function readJoined<State extends object, Found extends Read<State>>(
  readStates: (keys: readonly string[]) => Promise<readonly Found[]>,
  keys: readonly string[],
): Promise<ReadonlyArray<{ readonly key: string; readonly read: Found; readonly parts: StoredNode<State> }>> {
  const found = zip<State, Found>(keys, await readStates(keys));
  for (let hops = 0; hops < HOPS_MAX; hops++) {
    const forwarding = found.flatMap(({ parts: { node } }, index) =>
      node.kind === 'forwarder' ? [{ index, key: node.to.key }] : [],
    );
    if (forwarding.length === 0) return found;
    const nextKeys = forwarding.map(({ key }) => key);
    const next = zip<State, Found>(nextKeys, await readStates(nextKeys));
    for (const [at, { index }] of forwarding.entries()) found[index] = must(next[at], 'a read');
  }
  throw new AppError('contract_violation', `a profile forwards over more than ${HOPS_MAX} others`);
}

function zip<State extends object, Found extends Read<State>>(keys: readonly string[], reads: readonly Found[]) {
  return reads.map((read, index) => ({ key: must(keys[index], 'a key'), read, parts: toParts<State>(read.state) }));
}
