import type { VersionedState } from '@perennial/contracts';
import { LONE_ROOT } from './node.js';
import { createStoredStates, type Stored, toParts, toStored } from './stored.js';

/** States of a processor of profiles that may have joined others, as a processor around it reads and writes them. */
export function createJoinedStates<State extends object>(profiles: VersionedState<State>) {
  return {
    codec: createStoredStates(profiles),
    toState: (stored: Stored<State> | undefined): State | undefined => toParts(stored).profile,
    /** A profile that has joined another one has no timer: it waits for nothing. */
    toTimed(stored: Stored<State>): State | undefined {
      const { node, profile } = toParts(stored);
      return node.kind === 'forwarder' ? undefined : profile;
    },
    /** A record of the profile itself says that it is joined to nobody: it was parted. */
    toStored(profile: State | undefined, before: Stored<State> | undefined): Stored<State> | undefined {
      const { node } = toParts(before);
      return toStored({ node: node.kind === 'forwarder' ? LONE_ROOT : node, profile }, before);
    },
  };
}
