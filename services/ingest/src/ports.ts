import type { PlaceholderChanges } from './domain/placeholder-ids.js';

/** A sender of events, known by its write key. */
export interface Source {
  readonly id: string;
  readonly name: string;
  /** Events per second that one instance of ingest accepts from it; null means that an operator chose no limit. */
  readonly eventsPerSecondMax: number | null;
  /** Code of ISO 4217: the currency of its events that say none; null for the namespace's. */
  readonly currency: string | null;
  /** It may report what others did and grant consent for anybody: its key is a server's, and in no page. */
  readonly reports: boolean;
}

/** Lookup of sources. */
export interface SourceStore {
  /** The source with this hash of its write key, unless revoked; throws `dependency_unavailable` if lookup fails. */
  findByKeyHash(keyHash: string): Promise<Source | undefined>;
}

/** A version of a source's tracking plan, without its content. */
export interface PlanVersion {
  readonly sourceId: string;
  /** Counted from 1 for each source. */
  readonly number: number;
  /** SHA-256 of the content; null where the source has had no plan since. */
  readonly hash: string | null;
}

/** The tracking plans of the sources. */
export interface PlanStore {
  /** The newest version of each source that has one; throws `dependency_unavailable` if the store is down. */
  listCurrent(): Promise<readonly PlanVersion[]>;
  /** The content of a version; undefined when there is none with this number. */
  load(sourceId: string, number: number): Promise<string | undefined>;
}

/** The operator's changes to the built-in placeholder ids. */
export interface PlaceholderStore {
  /** Throws `dependency_unavailable` if the store is down. */
  loadChanges(): Promise<PlaceholderChanges>;
}

/** Stored log time of a namespace where `POST /v1/clock` moves it. */
export interface ClockStore {
  loadLogTime(): Promise<number | undefined>;
  /** Stores the higher of this and the stored time. */
  saveLogTime(timeMs: number): Promise<void>;
}

/** The rules about ids that were rolled out. */
export interface IdentityStore {
  /**
   * SHA-256 of the newest rules that each of so many partitions has had; undefined before any. Throws
   * `dependency_unavailable` if the store is down.
   */
  currentHash(partitions: number): Promise<string | undefined>;
  /** Their content; throws as the artifact store does. */
  load(hash: string): Promise<string>;
}

/** By which rules about ids the processes of ingest read events. Throws `dependency_unavailable` if the store is down. */
export interface RuleReaders {
  /** A process reads by the rules with this hash; undefined before any rollout. */
  report(instance: string, hash: string | undefined): Promise<void>;
  /** A process ends. */
  forget(instance: string): Promise<void>;
  /** Processes that run and read by other rules. */
  listBehind(hash: string): Promise<readonly string[]>;
}
