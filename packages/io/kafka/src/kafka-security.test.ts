import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toKafkajsSecurity } from './kafka-security.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-security-'));
  for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, name), `${name} in PEM`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the security of a Kafka client', () => {
  it('is none unless it is said', () => expect(toKafkajsSecurity({})).toEqual({}));

  it('checks the certificate of the broker, by the given authorities or those of Node', () => {
    expect(toKafkajsSecurity({ tls: {} })).toEqual({ ssl: { rejectUnauthorized: true } });
    const files = { caFile: join(folder, 'ca'), certFile: join(folder, 'cert'), keyFile: join(folder, 'key') };
    expect(toKafkajsSecurity({ tls: files })).toEqual({
      ssl: { rejectUnauthorized: true, ca: ['ca in PEM'], cert: 'cert in PEM', key: 'key in PEM' },
    });
  });

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('proves its name by %s', (mechanism) => {
    const sasl = { mechanism, username: 'app', password: 'secret' };
    expect(toKafkajsSecurity({ sasl })).toEqual({ sasl: { ...sasl, mechanism: mechanism.toLowerCase() } });
  });

  it('names every file that cannot be read', () => {
    const tls = { caFile: join(folder, 'no-ca'), certFile: join(folder, 'cert'), keyFile: folder };
    expect(() => toKafkajsSecurity({ tls })).toThrow(/KAFKA_TLS_CA_FILE.*ENOENT[\s\S]*KAFKA_TLS_KEY_FILE.*EISDIR/);
  });
});
