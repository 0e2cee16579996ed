import { describe, expect, it } from '@jest/globals';
import { readCommonConfig } from './common.js';
import { describeVariables } from './describe.js';
import { createConfigReader } from './reader.js';

describe('describeVariables', () => {
  it('lists what a configuration asks for, though an empty environment is rejected', () => {
    const variables = describeVariables((env) => {
      const reader = createConfigReader(env);
      const common = readCommonConfig(reader, { portDefault: 8080 });
      const linger = reader.integer('LINGER_MS', { description: 'Wait for more', min: 0, max: 100, default: 5 });
      reader.finish();
      return { common, linger };
    });
    expect(variables.map((variable) => variable.name)).toEqual([
      'PERENNIAL_NAMESPACE',
      'INSTANCE_ID',
      'LOG_LEVEL',
      'LOG_FILE',
      'HOST',
      'PORT',
      'METRICS_ACCESS',
      'PERENNIAL_SECRET',
      'KAFKA_BROKERS',
      'KAFKA_TLS',
      'KAFKA_TLS_CA_FILE',
      'KAFKA_TLS_CERT_FILE',
      'KAFKA_TLS_KEY_FILE',
      'KAFKA_SASL_MECHANISM',
      'KAFKA_SASL_USERNAME',
      'KAFKA_SASL_PASSWORD',
      'REDIS_URL',
      'POSTGRES_URL',
      'LINGER_MS',
    ]);
    expect(variables.at(-1)).toEqual({
      name: 'LINGER_MS',
      description: 'Wait for more',
      required: false,
      secret: false,
      form: 'an integer from 0 to 100',
      default: '5',
    });
    expect(variables.find((variable) => variable.name === 'PERENNIAL_SECRET')).toMatchObject({
      required: true,
      secret: true,
    });
  });

  it('keeps two descriptions apart', () => {
    const one = describeVariables((env) => createConfigReader(env).string('ONE'));
    const two = describeVariables((env) => createConfigReader(env).string('TWO'));
    expect([one, two].map((variables) => variables.map((variable) => variable.name))).toEqual([['ONE'], ['TWO']]);
  });
});
