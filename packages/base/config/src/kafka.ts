import type { ConfigReader } from './reader.js';

const BROKER_PATTERN = /^(\[[0-9a-fA-F:]+\]|[^\s:,]+):\d{1,5}$/;
const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly security: KafkaSecurity;
}

/** How a client proves the broker's identity, and its own. */
export interface KafkaSecurity {
  /** Absent: the connection is in clear. */
  readonly tls?: KafkaTls;
  /** Absent: the client has no name to the broker, or that of its certificate. */
  readonly sasl?: KafkaSasl;
}

/** Paths of PEM files. */
interface KafkaTls {
  /** Authorities that may sign the broker's certificate; absent: those of Node. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

interface KafkaSasl {
  readonly mechanism: (typeof SASL_MECHANISMS)[number];
  readonly username: string;
  readonly password: string;
}

/** KAFKA_BROKERS, and how to connect to them. */
export function readKafkaConfig(reader: ConfigReader): KafkaConfig {
  const brokers = reader.list('KAFKA_BROKERS', {
    description: 'Kafka brokers to begin with',
    pattern: BROKER_PATTERN,
    patternHint: 'host:port',
  });
  return { brokers, security: readKafkaSecurity(reader) };
}

/** KAFKA_TLS*, KAFKA_SASL_*: the same for services and tools. No problem that it reports holds the password. */
export function readKafkaSecurity(reader: ConfigReader): KafkaSecurity {
  const tls = readTls(reader);
  const sasl = readSasl(reader);
  if (sasl?.mechanism === 'PLAIN' && tls === undefined) {
    reader.problem('KAFKA_SASL_MECHANISM', 'is PLAIN, which sends the password in clear: set KAFKA_TLS, or use SCRAM');
  }
  return { ...(tls && { tls }), ...(sasl && { sasl }) };
}

function readTls(reader: ConfigReader): KafkaTls | undefined {
  const isOn = reader.boolean('KAFKA_TLS', { description: 'Whether Kafka is reached over TLS', default: false });
  const caFile = reader.optionalString('KAFKA_TLS_CA_FILE', {
    description: "PEM file of the authorities that may sign the broker's certificate; those of Node when not set",
  });
  const certFile = reader.optionalString('KAFKA_TLS_CERT_FILE', {
    description: 'PEM file of the certificate that the client shows to the broker',
  });
  const keyFile = reader.optionalString('KAFKA_TLS_KEY_FILE', { description: 'PEM file of its key' });
  if ((certFile === undefined) !== (keyFile === undefined)) {
    reader.problem('KAFKA_TLS_CERT_FILE', 'and KAFKA_TLS_KEY_FILE must both be set, or neither');
  }
  const files = { ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }) };
  if (isOn) return files;
  if (Object.keys(files).length > 0) reader.problem('KAFKA_TLS', 'is not true, but a KAFKA_TLS_..._FILE is set');
  return undefined;
}

function readSasl(reader: ConfigReader): KafkaSasl | undefined {
  const name = reader.oneOf('KAFKA_SASL_MECHANISM', ['none', ...SASL_MECHANISMS], {
    description: 'How the client proves its name to the broker',
    default: 'none',
  });
  const username = reader.optionalString('KAFKA_SASL_USERNAME', { description: 'Its name' });
  const password = reader.optionalString('KAFKA_SASL_PASSWORD', { description: 'Its password' });
  if (name === 'none') {
    if (username !== undefined || password !== undefined) {
      reader.problem('KAFKA_SASL_MECHANISM', 'is not set, but KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD is');
    }
    return undefined;
  }
  if (username === undefined) reader.problem('KAFKA_SASL_USERNAME', `is not set, but ${name} needs it`);
  if (password === undefined) reader.problem('KAFKA_SASL_PASSWORD', `is not set, but ${name} needs it`);
  return { mechanism: name, username: username ?? '', password: password ?? '' };
}
