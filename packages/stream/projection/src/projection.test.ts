import { afterEach, describe, expect, it } from '@jest/globals';
import type { LogRecord } from '@perennial/kafka';
import { createMemoryLog } from '@perennial/kafka/testing';
import { type Clock, systemClock } from '@perennial/kernel';
import type { Pool, PoolClient } from '@perennial/postgres';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import type { Projection } from './projection.js';
import { startProjection } from './projection.js';

/**
 * A minimal PostgreSQL: transactions over a list of rows and the offsets table, and a switch that makes it unavailable.
 */
class FakePostgres {
  rows: string[] = [];
  next = new Map<string, number>();
  away = false;
  rejections = 0;
  /** Delay before the offset is read, in which the log can deliver. */
  delayMs = 0;
  #rows: string[] = [];
  #next = new Map<string, number>();

  insert(value: string): void {
    if (value === 'poison') throw Object.assign(new Error('invalid byte sequence'), { code: '22021' });
    if (!this.#rows.includes(value)) this.#rows.push(value);
  }

  query = async (
    query: string | { text: string },
    values: unknown[] = [],
  ): Promise<{ rows: unknown[]; rowCount: number }> => {
    const sql = typeof query === 'string' ? query : query.text;
    this.rejections += this.away ? 1 : 0;
    if (this.away) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const key = String(values[2]);
    if (sql.startsWith('SELECT next')) {
      await new Promise((resolve) => setTimeout(resolve, this.delayMs));
      const next = this.next.get(key);
      return { rows: next === undefined ? [] : [{ next }], rowCount: 1 };
    }
    if (sql === 'BEGIN') {
      this.#rows = [...this.rows];
      this.#next = new Map(this.next);
    } else if (sql === 'COMMIT') {
      this.rows = this.#rows;
      this.next = this.#next;
    } else if (sql.startsWith('INSERT INTO "s".projection_offsets')) {
      if (this.#next.has(key)) return { rows: [], rowCount: 0 };
      this.#next.set(key, Number(values[3]));
    } else if (sql.startsWith('UPDATE')) {
      if (this.#next.get(key) !== values[3]) return { rows: [], rowCount: 0 };
      this.#next.set(key, Number(values[4]));
    }
    return { rows: [], rowCount: 1 };
  };

  pool(): Pool {
    const ignored = () => undefined;
    const client = { query: this.query, release: ignored, on: ignored, off: ignored } as unknown as PoolClient;
    const connect = async () => {
      await this.query('PING');
      return client;
    };
    return { query: this.query, connect } as unknown as Pool;
  }
}

async function eventually(check: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!check()) {
    if (Date.now() > deadline) throw new Error('never happened');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('projection', () => {
  const open: Projection[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((projection) => projection.stop()));
  });

  function setUp({ clock = systemClock }: { clock?: Clock } = {}) {
    const log = createMemoryLog({ partitions: 1 });
    const postgres = new FakePostgres();
    const counted: string[] = [];
    const metrics = createMetrics({ service: 's', namespace: 'n', processMetrics: false });
    const start = async () => {
      const projection = await startProjection({
        log,
        pool: postgres.pool(),
        schema: 's',
        groupId: 'g',
        topic: 't',
        insert: async (_client, records: LogRecord[], afterCommit) => {
          for (const { value } of records) postgres.insert(String(value));
          afterCommit(() => counted.push(...records.map(({ value }) => String(value))));
        },
        logger: createSilentLogger(),
        metrics,
        limits: { lagIntervalMs: 10, restMs: 0 },
        clock,
      });
      open.push(projection);
      return projection;
    };
    const send = (...values: string[]) => {
      for (const value of values)
        log.append({ topic: 't', partition: 0, key: null, value: Buffer.from(value), headers: {} });
    };
    return { log, postgres, metrics, start, send, counted };
  }

  it('writes each record once, over a restart that forgot its group offset', async () => {
    const { postgres, start, send } = setUp();
    send('a', 'b');
    const first = await start();
    await eventually(() => postgres.next.get('0') === 2);
    await first.stop();
    postgres.rows.push('marker');
    send('c');
    await start();
    await eventually(() => postgres.next.get('0') === 3);
    expect(postgres.rows).toEqual(['a', 'b', 'marker', 'c']);
  });

  it('rests, retries and measures by the clock that it is given', async () => {
    const waited: number[] = [];
    const clock: Clock = {
      ...systemClock,
      wait: async (ms, signal) => {
        waited.push(ms);
        await systemClock.wait(1, signal);
      },
    };
    const { postgres, start, send } = setUp({ clock });
    postgres.away = true;
    send('a');
    await start();
    await eventually(() => postgres.rejections > 3);
    postgres.away = false;
    await eventually(() => postgres.next.get('0') === 1);
    // The lag interval, the pause after a round, and a wait between attempts, which grows from 100 ms.
    expect(waited).toEqual(expect.arrayContaining([10, 0]));
    expect(Math.max(...waited)).toBeGreaterThanOrEqual(50);
  });

  it('writes again what a PostgreSQL restored from a backup has lost, whatever the group has committed', async () => {
    const { postgres, start, send } = setUp();
    send('a', 'b', 'c');
    const first = await start();
    await eventually(() => postgres.next.get('0') === 3);
    await first.stop();
    postgres.rows = ['a'];
    postgres.next.set('0', 1);
    postgres.delayMs = 50;
    send('d');
    await start();
    await eventually(() => postgres.next.get('0') === 4);
    expect(postgres.rows).toEqual(['a', 'b', 'c', 'd']);
  });

  it('goes on where the log does when it no longer has what is missing', async () => {
    const { log, postgres, start, send } = setUp();
    postgres.next.set('0', 1);
    send('a', 'b', 'c', 'd');
    log.trim('t', 0, 2);
    await start();
    await eventually(() => postgres.next.get('0') === 4);
    expect(postgres.rows).toEqual(['c', 'd']);
  });

  it('skips what cannot be read, counts it, and has no lag behind offsets without a record', async () => {
    const { log, postgres, start, send, metrics } = setUp();
    send('a');
    const unreadable = { reason: 'damaged', message: 'invalid batch', firstOffset: 1 } as const;
    log.append({ topic: 't', partition: 0, key: null, value: null, headers: {}, unreadable });
    send('b');
    log.appendControl('t', 0);
    log.appendControl('t', 0);
    const projection = await start();
    let committed: number | undefined;
    await eventually(() => {
      void log.groupOffsets('g', 't').then((offsets) => {
        committed = offsets.get(0);
      });
      return committed === 5 && projection.lag() === 0;
    });
    expect(postgres.rows).toEqual(['a', 'b']);
    expect(await metrics.registry.metrics()).toMatch(/projection_records_skipped_total\{.*topic="t".*\} 1/);
  });

  it('waits while PostgreSQL is away, and tells its lag', async () => {
    const { postgres, start, send, metrics } = setUp();
    const projection = await start();
    send('a');
    await eventually(() => postgres.rows.length === 1);
    postgres.away = true;
    send('b', 'c');
    // Passed unbound, as the services pass it to their routes.
    const { lag } = projection;
    await eventually(() => lag() === 2 && postgres.rejections > 0);
    postgres.away = false;
    await eventually(() => postgres.rows.length === 3 && projection.lag() === 0);
    expect(await metrics.registry.metrics()).toMatch(/projection_retries_total\{[^}]*\} [1-9]/);
  });

  it('passes over the one record that PostgreSQL rejects', async () => {
    const { postgres, start, send, metrics } = setUp();
    send('a', 'poison', 'b');
    await start();
    await eventually(() => postgres.next.get('0') === 3);
    expect(postgres.rows).toEqual(['a', 'b']);
    expect(await metrics.registry.metrics()).toMatch(/projection_records_skipped_total\{[^}]*\} 1/);
  });

  it('gives way when another consumer has moved on', async () => {
    const { postgres, start, send, counted } = setUp();
    send('a');
    await start();
    await eventually(() => postgres.next.get('0') === 1);
    postgres.next.set('0', 3);
    send('b', 'c', 'd');
    await eventually(() => postgres.next.get('0') === 4);
    expect(postgres.rows).toEqual(['a', 'd']);
    // What was rolled back is not counted.
    await eventually(() => counted.length > 1);
    expect(counted).toEqual(['a', 'd']);
  });
});
