/** Where a backfill goes, and what lets it in there. */
export interface IngestAddress {
  /** Asked again before each try: an ingest that was restarted may listen elsewhere. */
  readonly ingestUrl: string | (() => string | Promise<string>);
  readonly writeKey: string;
  /** Reads and moves the clock: scopes `read` and `operate`. */
  readonly token: string;
}

export function resolveUrl({ ingestUrl }: Pick<IngestAddress, 'ingestUrl'>): string | Promise<string> {
  return typeof ingestUrl === 'string' ? ingestUrl : ingestUrl();
}
