import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ORDER_COMPLETED } from '@perennial/commerce';
import { findArchiveFiles } from './archive-files.js';
import { type Database, openDuckDb } from './database.js';
import { type ExtraColumns, toEventsTable } from './events-table.js';
import {
  type ExposedOptions,
  type ExposedPerson,
  toExposedPersons,
  toExposedSql,
  toExposedTable,
  toOtherArmsSql,
} from './exposed.js';
import { type Funnel, type FunnelOptions, toFunnelSql, toFunnels } from './funnel.js';
import { createKnownTables } from './known-tables.js';
import { EXPLORE_LIMITS } from './limits.js';
import { type PathOptions, type Paths, toPaths, toPathsSql } from './paths.js';
import {
  type AllCohorts,
  type Cohort,
  type RetentionOptions,
  sumCohorts,
  toCohorts,
  toRetentionSql,
} from './retention.js';
import { type RfmGrid, type RfmOptions, toRfmGrid, toRfmSql } from './rfm.js';
import { type RuleOptions, type Rules, toRuleColumns, toRules, toRulesSql } from './rules.js';

/** Where the events are, and what may be used to read them. */
export interface ExploreSource {
  /** The folder of the archive, as in PERENNIAL_ARCHIVE. */
  readonly archive: string;
  readonly namespace: string;
  readonly memoryMb?: number | undefined;
  readonly threads?: number | undefined;
}

/** What was read; every result has it. */
export interface Reading {
  readonly files: number;
  /** Distinct messages. */
  readonly events: number;
  /** A device and the user that it joined are one. */
  readonly profiles: number;
  /** Of the earliest and the latest event; null without events. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  /** Records that the log lost before they were archived. */
  readonly missingRecords: number;
  /** Of the names that were asked for, those that no event has. */
  readonly unknownEvents: readonly string[];
}

export async function exploreFunnel(
  source: ExploreSource,
  options: FunnelOptions,
): Promise<Reading & { funnels: Funnel[] }> {
  return explore(source, { names: options.steps }, async (database) => ({
    funnels: toFunnels(await database.query(toFunnelSql(options)), options.steps),
  }));
}

export async function explorePaths(source: ExploreSource, options: PathOptions): Promise<Reading & { paths: Paths }> {
  const names = options.start === undefined ? [] : [options.start];
  return explore(source, { names }, async (database) => ({
    paths: toPaths(await database.query(toPathsSql(options))),
  }));
}

export async function exploreRules(source: ExploreSource, options: RuleOptions): Promise<Reading & { rules: Rules }> {
  return explore(source, { names: [], extra: toRuleColumns(options.of) }, async (database) => ({
    rules: toRules(await database.query(toRulesSql(options))),
  }));
}

export async function exploreRetention(
  source: ExploreSource,
  options: RetentionOptions,
): Promise<Reading & { cohorts: Cohort[]; all: AllCohorts }> {
  const names = [options.start, options.back].filter((name) => name !== undefined);
  return explore(source, { names }, async (database) => {
    const cohorts = toCohorts(await database.query(toRetentionSql(options)), options.periods);
    return { cohorts, all: sumCohorts(cohorts, options.periods) };
  });
}

export async function exploreRfm(source: ExploreSource, options: RfmOptions): Promise<Reading & { rfm: RfmGrid }> {
  const extra: ExtraColumns = { event: ORDER_COMPLETED, columns: ['amount', 'currency'] };
  return explore(source, { names: [ORDER_COMPLETED], extra }, async (database) => ({
    rfm: toRfmGrid(await database.query(toRfmSql(options))),
  }));
}

export async function exploreExposed(
  source: ExploreSource,
  options: ExposedOptions,
): Promise<Reading & { persons: ExposedPerson[] }> {
  const extra: ExtraColumns = { event: ORDER_COMPLETED, columns: ['amount', 'currency'], isKeyed: true };
  return explore(source, { names: [], extra }, async (database) => {
    for (const statement of toExposedTable(options)) await database.query(statement);
    const rows = await database.query(toExposedSql(options));
    return { persons: toExposedPersons(rows, await database.query(toOtherArmsSql(options))) };
  });
}

/** Reads the archive into `events`, asks, and removes all that was made. Throws an AppError that says what to do. */
async function explore<Result>(
  { archive, namespace, memoryMb = EXPLORE_LIMITS.memoryMbDefault, threads }: ExploreSource,
  { names, extra }: { readonly names: readonly string[]; readonly extra?: ExtraColumns | undefined },
  ask: (database: Database) => Promise<Result>,
): Promise<Reading & Result> {
  const { paths, missingRecords } = await findArchiveFiles(archive, namespace);
  const spillFolder = await mkdtemp(join(tmpdir(), 'perennial-explore-'));
  try {
    const { spillMaxGb } = EXPLORE_LIMITS;
    const database = await openDuckDb({ readFolders: [archive], spillFolder, memoryMb, spillMaxGb, threads });
    try {
      await createKnownTables(database, { paths, folder: spillFolder });
      await database.query(toEventsTable({ paths, extra }));
      const [read] = await database.query(
        'SELECT count(*) AS events, count(DISTINCT profile) AS profiles, min(at_ms) AS first, max(at_ms) AS last FROM events',
      );
      const known = new Set((await database.query('SELECT DISTINCT label FROM events')).map(({ label }) => label));
      return {
        files: paths.length,
        events: Number(read?.events ?? 0),
        profiles: Number(read?.profiles ?? 0),
        firstMs: toMs(read?.first),
        lastMs: toMs(read?.last),
        missingRecords,
        unknownEvents: [...new Set(names)].filter((name) => !known.has(name)),
        ...(await ask(database)),
      };
    } finally {
      database.close();
    }
  } finally {
    await rm(spillFolder, { recursive: true, force: true });
  }
}

function toMs(cell: unknown): number | null {
  return typeof cell === 'number' ? cell : null;
}
