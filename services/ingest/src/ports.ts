/** A place that sends events, known by its write key. */
export interface Source {
  readonly id: string;
  readonly name: string;
  /** Events a second that one instance of ingest takes from it; null is without limit. */
  readonly eventsPerSecondMax: number | null;
}

/** Where sources are kept. */
export interface SourceStore {
  /** The source with this hash of its write key, unless revoked; throws AppError `dependency_unavailable` when it cannot tell. */
  findByKeyHash(keyHash: string): Promise<Source | undefined>;
}

/** How far log time has been driven in a namespace where `POST /v1/clock` drives it. */
export interface ClockStore {
  loadLogTime(): Promise<number | undefined>;
  /** Keeps the higher of this and what is there. */
  saveLogTime(timeMs: number): Promise<void>;
}
