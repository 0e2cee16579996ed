import { join } from 'node:path';
import { type BackfillProgress, type BackfillResult, openRowLedger, runBackfill } from '@perennial/backfill';
import { toPostgresSchema } from '@perennial/contracts';
import type { ReadOptions } from '@perennial/history';
import type { Log } from '@perennial/kafka';
import { isAppError } from '@perennial/kernel';
import { attachPlatform, type Platform } from '@perennial/launcher';
import type { Layout } from '@perennial/native-stack';
import { withPool } from '@perennial/postgres';
import { readCounter } from './metrics.js';

export interface BackfillRun {
  readonly platform: Platform;
  readonly log: Log;
  readonly writeKey: string;
  readonly file: string;
  readonly reading?: ReadOptions | undefined;
  readonly untilMs?: number | undefined;
  readonly via: 'http' | 'kafka';
  readonly report: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Folder with the locks of backfills; removed with the data. */
export function toBackfillsFolder({ home }: Layout): string {
  return join(home, 'backfills');
}

/** Backfills a file into a running platform and reports progress about twice a second. */
export function backfillInto({ platform, report, ...run }: BackfillRun): Promise<BackfillResult> {
  const { namespace, layout, endpoints } = platform;
  const pool = { url: endpoints.postgresUrl, applicationName: 'perennial-backfill', connectionsMax: 1 };
  return withPool(pool, async (ledgerPool) =>
    runBackfill({
      ...run,
      namespace,
      token: platform.token,
      // A restarted service may listen on another port.
      ingestUrl: () => findIngest(platform),
      ledger: await openRowLedger(ledgerPool, toPostgresSchema(namespace, 'backfill')),
      progressFolder: join(toBackfillsFolder(layout), namespace),
      readDuplicates: () =>
        readCounter({ url: platform.urls['feature-store'], token: platform.token }, 'features_events_repeated_total'),
      onProgress: createReporter(report),
    }),
  );
}

function findIngest(platform: Platform): string {
  const { layout, namespace } = platform;
  try {
    return attachPlatform({ root: layout.root, home: layout.home, namespace })?.urls.ingest ?? platform.urls.ingest;
  } catch (error) {
    if (isAppError(error)) return platform.urls.ingest;
    throw error;
  }
}

const REPORT_INTERVAL_MS = 500;

function createReporter(report: (message: string) => void): (progress: BackfillProgress) => void {
  let nextMs = 0;
  return (progress) => {
    const isFrequent = progress.kind === 'sending' || progress.kind === 'settling';
    if (isFrequent && performance.now() < nextMs) return;
    nextMs = performance.now() + REPORT_INTERVAL_MS;
    report(toMessage(progress));
  };
}

function toMessage(progress: BackfillProgress): string {
  switch (progress.kind) {
    case 'reading':
      return `reading ${progress.file}`;
    case 'notice':
      return progress.message;
    case 'retry':
      return `${progress.message}; trying again in ${(progress.waitMs / 1000).toFixed(1)} s`;
    case 'sending': {
      const { sent, events, timeMs } = progress;
      return `${new Date(timeMs).toISOString().slice(0, 16)}Z: ${sent.toLocaleString('en-US')} of ${events.toLocaleString('en-US')} events sent`;
    }
    case 'settling': {
      const behind = Object.entries(progress.lags).filter(([, lag]) => lag > 0);
      const text = behind.map(([name, lag]) => `${name} ${lag.toLocaleString('en-US')} records behind`).join(', ');
      return `waiting until all is processed${text === '' ? '' : `: ${text}`}`;
    }
  }
}
