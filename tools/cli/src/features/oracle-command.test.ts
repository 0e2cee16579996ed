import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@perennial/kernel';
import { toExitCode } from '../exit-codes.js';
import { capturePrinted } from '../printed-test-kit.js';
import { type AskOracle, createOracle, findPython } from './ask-oracle.js';
import { createOracleCommand } from './oracle-command.js';

const DATA = join(import.meta.dirname, '../../../../../shared/data');
const FILES = ['cdnow.csv.gz', 'online_retail.csv.gz', 'ecom_synthetic_raw.csv.gz'].map((name) => join(DATA, name));
/** The last file has columns and types of its own. */
const READING = [
  ...['--zone', 'UTC', '--map', 'ts=ts|timestamp,event_type=event_type|event'],
  '--types',
  'product_view=Product Viewed,add_to_cart=Product Added,search=Products Searched,shipping_details=Checkout Started',
];
/** Repeats a run, as for the property tests. */
const SEED = String(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const USERS = 200;
const TIMEOUT_MS = 240_000;

const hasPython = findPython() !== undefined;
const hasData = FILES.every((file) => existsSync(file));
if (!hasData) process.stderr.write(`skipped: there is no ${DATA}\n`);
if (!hasPython) process.stderr.write('skipped: there is no Python 3\n');
const itWithPython = hasPython ? it : it.skip;
const itWithData = hasPython && hasData ? it : it.skip;

const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
const orders = join(folder, 'orders.csv');
writeFileSync(
  orders,
  'user_id,ts,event_type,value\nada,2024-03-01T10:00:00Z,purchase,10\nada,2024-03-02T10:00:00Z,purchase,5.5\nbob,2024-03-01T10:00:00Z,return,3\n',
);
const printed = capturePrinted();

afterAll(() => rmSync(folder, { recursive: true }));

function run(args: readonly string[], findOracle?: () => AskOracle): Promise<unknown> {
  return createOracleCommand(findOracle).parseAsync([...args], { from: 'user' });
}

/** The rows of some users of a file: reading all rows takes most of the time. */
function writeSample(file: string): string {
  const [head = '', ...rows] = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
  const toUser = (row: string) => row.slice(0, row.indexOf(','));
  const random = createSeededRandom(Number(SEED));
  const ranked = [...new Set(rows.map(toUser))].map((user) => ({ user, rank: random() }));
  const chosen = new Set(
    ranked
      .sort((a, b) => a.rank - b.rank)
      .slice(0, USERS)
      .map(({ user }) => user),
  );
  const path = join(folder, basename(file, '.gz'));
  writeFileSync(path, [head, ...rows.filter((row) => chosen.has(toUser(row)))].join('\n'));
  return path;
}

interface Printed {
  readonly features: number;
  readonly files: ReadonlyArray<{ users: number; vectors: number; values: number; known: number; mismatches: number }>;
}

describe('features oracle', () => {
  itWithPython('compares every user of a file', async () => {
    await run([orders]);
    expect(printed.text).toMatch(/^file +users +events +vectors +values +known +mismatches$/m);
    expect(printed.text).toMatch(/^orders\.csv +2 +3 +10 +520 +\d+ +0$/m);
  });

  itWithPython('compares a sample that the seed draws', async () => {
    const drawn: string[] = [];
    const findOracle = (): AskOracle => {
      const ask = createOracle();
      return (definitions, profiles) => {
        drawn.push(...profiles.map(({ events }) => String(events.length)));
        return ask(definitions, profiles);
      };
    };
    for (const seed of ['1', '1', '2', '3', '4', '5']) await run([orders, '--users', '1', '--seed', seed], findOracle);
    expect(printed.text).toMatch(/^orders\.csv +1 +[12] +5 +260 +\d+ +0$/m);
    expect(drawn[0]).toBe(drawn[1]);
    expect(new Set(drawn)).toEqual(new Set(['1', '2']));
  });

  itWithPython('fails for a value that the oracle has not, and names user, time and feature', async () => {
    const findOracle = (): AskOracle => {
      const ask = createOracle();
      // Of the first user alone, at the last time, the first feature.
      return async (definitions, profiles) => {
        const answers = (await ask(definitions, profiles)).map((rows) => rows.map((values) => [...values]));
        const values = answers[0]?.at(-1);
        if (values !== undefined) values[0] = -1;
        return answers;
      };
    };
    const error: unknown = await run([orders], findOracle).catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(1);
    expect(printed.text).toMatch(/^orders\.csv .* 1$/m);
    expect(printed.text).toMatch(/^ada +202\d-[-0-9T:.]+Z +orders_count_7d +\d+ +-1$/m);
  });

  it('names every file that it cannot read, and takes no empty one for equal', async () => {
    const error: unknown = await run([join(folder, 'one.csv'), orders, join(folder, 'two.csv')]).catch(
      (thrown) => thrown,
    );
    expect(toExitCode(error)).toBe(2);
    expect(String(error)).toMatch(/one\.csv.*\n.*two\.csv/);
    const empty = join(folder, 'empty.csv');
    writeFileSync(empty, 'user_id,ts,event_type,value\n');
    await expect(run([empty])).rejects.toThrow('no event in empty.csv');
  });

  itWithData(
    `finds ${USERS} users of each file of the data equal, seed ${SEED}`,
    async () => {
      await run([...FILES.map(writeSample), ...READING, '--seed', SEED, '--json']);
      const { features, files } = JSON.parse(printed.text) as Printed;
      expect(files).toHaveLength(FILES.length);
      for (const { users, vectors, values, known, mismatches } of files) {
        expect({ users, vectors, mismatches }).toEqual({ users: USERS, vectors: 5 * USERS, mismatches: 0 });
        expect(values).toBe(vectors * features);
        expect(known).toBeGreaterThan(values / 2);
      }
    },
    TIMEOUT_MS,
  );
});
