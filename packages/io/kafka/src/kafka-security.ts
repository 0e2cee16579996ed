import { readFileSync } from 'node:fs';
import { AppError, toMessage } from '@perennial/kernel';
import type { KafkaConfig, SASLOptions } from 'kafkajs';

/** How a client proves the broker's identity and its own: paths of PEM files, and a name with its password. */
export interface KafkaSecurity {
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  readonly sasl?: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
    readonly username: string;
    readonly password: string;
  };
}

/** The settings of kafkajs. Throws `config_invalid` that names every file that cannot be read. */
export function toKafkajsSecurity({ tls, sasl }: KafkaSecurity): Pick<KafkaConfig, 'ssl' | 'sasl'> {
  return {
    ...(tls === undefined ? {} : { ssl: readFiles(tls) }),
    ...(sasl === undefined ? {} : { sasl: toSasl(sasl) }),
  };
}

function readFiles({ caFile, certFile, keyFile }: NonNullable<KafkaSecurity['tls']>) {
  const problems: string[] = [];
  const read = (variable: string, path: string | undefined) => {
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      problems.push(`  - ${variable} cannot be read: ${toMessage(error)}`);
      return undefined;
    }
  };
  const ca = read('KAFKA_TLS_CA_FILE', caFile);
  const cert = read('KAFKA_TLS_CERT_FILE', certFile);
  const key = read('KAFKA_TLS_KEY_FILE', keyFile);
  if (problems.length > 0) throw new AppError('config_invalid', `configuration is invalid:\n${problems.join('\n')}`);
  // Without an option of ours kafkajs would take an empty object for no TLS.
  return { rejectUnauthorized: true, ...(ca && { ca: [ca] }), ...(cert && { cert }), ...(key && { key }) };
}

function toSasl({ mechanism, username, password }: NonNullable<KafkaSecurity['sasl']>): SASLOptions {
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', username, password };
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password };
  }
}
