import { type IdentityRules, INITIAL_RULES, requireIdentityRules } from '@perennial/identity';
import { type Clock, every, retry } from '@perennial/kernel';
import type { IdentityStore, RuleReaders } from './ports.js';

/** Every instance follows a rollout within this time: as long as write keys are remembered. */
const REFRESH_MS = 10_000;

/** Some two minutes: without the rules events would lose their ids for good, so a start waits for a file that is being repaired. */
const START_LIMITS = { attemptsMax: 60, initialMs: 200, maxMs: 2_000 } as const;

/** The rules about ids by which events are read, the same for HTTP and Kafka. */
export interface IdentityDirectory {
  current(): IdentityRules;
  /** Of the current rules; undefined before any rollout. */
  hash(): string | undefined;
  stop(): Promise<void>;
}

/** A process that says by which rules it reads. */
export interface Reader {
  readonly instance: string;
  readonly readers: Pick<RuleReaders, 'report' | 'forget'>;
}

/**
 * Loads the rules before the first event (throws when it cannot for long), and what all partitions have had since, every ten
 * seconds. It says by which ones this process reads before it looks for others, too: whoever waits for it must know of it,
 * however long the loading takes.
 */
export async function startIdentityDirectory(
  store: IdentityStore,
  options: Reader & { readonly partitions: number; readonly clock: Clock; readonly onError: (error: unknown) => void },
): Promise<IdentityDirectory> {
  const { partitions, clock, onError, instance, readers } = options;
  const none = { hash: undefined, rules: INITIAL_RULES };
  const onRetry = ({ error }: { readonly error: unknown }) => onError(error);
  const report = (hash: string | undefined) =>
    retry(() => readers.report(instance, hash), { ...START_LIMITS, clock, onRetry });
  await report(undefined);
  let known = await retry(() => loadRules(store, partitions, none), { ...START_LIMITS, clock, onRetry });
  await report(known.hash);
  // While a store is unavailable, the last known rules stay in effect.
  const refresh = every({ intervalMs: REFRESH_MS, clock, onError }, async () => {
    // Also where others cannot be read: a process that says nothing has ended, and nobody waits for it.
    await readers.report(instance, known.hash);
    const next = await loadRules(store, partitions, known);
    if (next === known) return;
    known = next;
    await readers.report(instance, known.hash);
  });
  return {
    current: () => known.rules,
    hash: () => known.hash,
    async stop() {
      await refresh.stop();
      // It may be down: then the process is forgotten in half a minute.
      await readers.forget(instance).catch(onError);
    },
  };
}

interface KnownRules {
  readonly hash: string | undefined;
  readonly rules: IdentityRules;
}

async function loadRules(store: IdentityStore, partitions: number, known: KnownRules): Promise<KnownRules> {
  const hash = await store.currentHash(partitions);
  if (hash === undefined || hash === known.hash) return known;
  return { hash, rules: requireIdentityRules(await store.load(hash), { fileName: 'identity.yaml' }) };
}
