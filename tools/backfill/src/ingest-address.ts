/** Address of the ingest that a backfill sends to, and the credentials for it. */
export interface IngestAddress {
  /** Called before each try: a restarted ingest may listen on another port. */
  readonly ingestUrl: string | (() => string | Promise<string>);
  readonly writeKey: string;
  /** Token to read and move the clock: scopes `read` and `operate`. */
  readonly token: string;
}

export function resolveUrl({ ingestUrl }: Pick<IngestAddress, 'ingestUrl'>): string | Promise<string> {
  return typeof ingestUrl === 'string' ? ingestUrl : ingestUrl();
}
