import type { AuditMismatch, AuditStatus, FoundAuditMismatch } from '@perennial/contracts';
import type { DriftStatus } from '../drift/drift-watch.js';

/** Mismatches kept for `audit mismatches`; all are counted. */
const MISMATCHES_KEPT_MAX = 1_000;

/** The commands that the records need; ioredis has them. */
export interface AuditStore {
  hgetall(key: string): Promise<Record<string, string>>;
  hset(key: string, fields: Record<string, string | number>): Promise<number>;
  hincrby(key: string, field: string, by: number): Promise<number>;
  lpush(key: string, ...values: string[]): Promise<number>;
  ltrim(key: string, from: number, to: number): Promise<unknown>;
  lrange(key: string, from: number, to: number): Promise<string[]>;
}

/** Progress and evidence of the running audit, in Redis. Whoever has the lease goes on where the one before was. */
export interface AuditRecords {
  /** From which a partition goes on: the cursor of `readStatePage`. */
  readCursor(partition: number): Promise<string>;
  /** Notes a page as compared. */
  add(page: {
    readonly partition: number;
    readonly cursor: string;
    readonly profiles: number;
    readonly mismatches: readonly AuditMismatch[];
    readonly atMs: number;
  }): Promise<void>;
  readStatus(partitions: number): Promise<AuditStatus>;
  writeDrift(drift: DriftStatus): Promise<void>;
  readDrift(): Promise<DriftStatus>;
  /** The newest first. */
  listMismatches(countMax: number): Promise<readonly FoundAuditMismatch[]>;
}

export function createAuditRecords(redis: AuditStore, namespace: string): AuditRecords {
  const progress = `{${namespace}:feature-audit}:progress`;
  const evidence = `{${namespace}:feature-audit}:mismatches`;
  return {
    async readCursor(partition) {
      return (await redis.hgetall(progress))[`cursor:${partition}`] ?? '0';
    },

    async add({ partition, cursor, profiles, mismatches, atMs }) {
      // Evidence first: a page that is compared again after a crash is better than a mismatch without evidence.
      if (mismatches.length > 0) {
        const foundAt = new Date(atMs).toISOString();
        const lines = mismatches.map((found) => JSON.stringify({ ...found, foundAt } satisfies FoundAuditMismatch));
        await redis.lpush(evidence, ...lines.slice(0, MISMATCHES_KEPT_MAX));
        await redis.ltrim(evidence, 0, MISMATCHES_KEPT_MAX - 1);
        await redis.hincrby(progress, 'mismatches', mismatches.length);
      }
      await redis.hincrby(progress, 'profiles', profiles);
      if (cursor === '0') await redis.hincrby(progress, `passes:${partition}`, 1);
      await redis.hset(progress, { [`cursor:${partition}`]: cursor, lastSuccessMs: atMs });
    },

    async readStatus(partitions) {
      const fields = await redis.hgetall(progress);
      const { lastSuccessMs } = fields;
      return {
        profiles: Number(fields.profiles ?? 0),
        mismatches: Number(fields.mismatches ?? 0),
        lastSuccessAt: lastSuccessMs === undefined ? null : new Date(Number(lastSuccessMs)).toISOString(),
        passes: Array.from({ length: partitions }, (_, partition) => Number(fields[`passes:${partition}`] ?? 0)),
      };
    },

    async writeDrift(drift) {
      await redis.hset(progress, { drift: JSON.stringify(drift) });
    },

    async readDrift() {
      const { drift } = await redis.hgetall(progress);
      return drift === undefined ? { profiles: 0, features: [] } : (JSON.parse(drift) as DriftStatus);
    },

    async listMismatches(countMax) {
      const lines = await redis.lrange(evidence, 0, countMax - 1);
      return lines.map((line) => JSON.parse(line) as FoundAuditMismatch);
    },
  };
}
