import { type Clock, every } from '@perennial/kernel';
import { createPlaceholderIds, type PlaceholderIds } from './domain/placeholder-ids.js';
import type { PlaceholderStore } from './ports.js';

/** Every instance follows a change within this time: as long as write keys are remembered. */
const REFRESH_MS = 10_000;

/** The placeholder ids of the namespace, the same for HTTP and Kafka. */
export interface PlaceholderDirectory {
  current(): PlaceholderIds;
  stop(): Promise<void>;
}

/** Loads the operator's changes before the first event (throws when it cannot), and again every ten seconds. */
export async function startPlaceholderDirectory(
  store: PlaceholderStore,
  { clock, onError }: { readonly clock: Clock; readonly onError: (error: unknown) => void },
): Promise<PlaceholderDirectory> {
  let ids = createPlaceholderIds(await store.loadChanges());
  // While the store is unavailable, the last known changes stay in effect.
  const refresh = every({ intervalMs: REFRESH_MS, clock, onError }, async () => {
    ids = createPlaceholderIds(await store.loadChanges());
  });
  return { current: () => ids, stop: () => refresh.stop() };
}
