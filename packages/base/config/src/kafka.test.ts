import { describe, expect, it } from '@jest/globals';
import { readKafkaConfig } from './kafka.js';
import { createConfigReader } from './reader.js';

const PASSWORD = 'hunter2-and-more';

function read(env: Record<string, string>) {
  const reader = createConfigReader({ KAFKA_BROKERS: 'a:9092', ...env });
  const config = readKafkaConfig(reader);
  reader.finish();
  return config;
}

describe('how to reach Kafka', () => {
  it('is in clear and without a name, unless that is said', () => {
    expect(read({})).toEqual({ brokers: ['a:9092'], security: {} });
  });

  it.each([
    [{ KAFKA_TLS: 'true' }, { tls: {} }],
    [{ KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: '/ca.pem' }, { tls: { caFile: '/ca.pem' } }],
    [
      { KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: '/c.pem', KAFKA_TLS_KEY_FILE: '/k.pem' },
      { tls: { certFile: '/c.pem', keyFile: '/k.pem' } },
    ],
    [
      { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'app', KAFKA_SASL_PASSWORD: PASSWORD },
      { sasl: { mechanism: 'SCRAM-SHA-512', username: 'app', password: PASSWORD } },
    ],
    [
      { KAFKA_TLS: '1', KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'app', KAFKA_SASL_PASSWORD: PASSWORD },
      { tls: {}, sasl: { mechanism: 'PLAIN', username: 'app', password: PASSWORD } },
    ],
  ])('%j', (env, security) => expect(read(env as Record<string, string>).security).toEqual(security));

  it.each([
    [{ KAFKA_TLS_CA_FILE: '/ca.pem' }, [/KAFKA_TLS is not true/]],
    [{ KAFKA_TLS: 'true', KAFKA_TLS_KEY_FILE: '/k.pem' }, [/KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE must both/]],
    [{ KAFKA_SASL_PASSWORD: PASSWORD }, [/KAFKA_SASL_MECHANISM is not set/]],
    [{ KAFKA_SASL_MECHANISM: 'GSSAPI' }, [/KAFKA_SASL_MECHANISM is "GSSAPI" but must be one of none, PLAIN/]],
    [
      { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_PASSWORD: PASSWORD, KAFKA_TLS_CERT_FILE: '/c.pem' },
      [/KAFKA_SASL_USERNAME is not set/, /password in clear/, /must both be set/, /KAFKA_TLS is not true/],
    ],
    [{ KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256' }, [/KAFKA_SASL_USERNAME/, /KAFKA_SASL_PASSWORD/]],
  ])('names every problem of %j, and never the password', (env, problems) => {
    let message = '';
    try {
      read(env as Record<string, string>);
    } catch (error) {
      message = String(error);
    }
    for (const problem of problems) expect(message).toMatch(problem);
    expect(message).not.toContain(PASSWORD);
  });
});
