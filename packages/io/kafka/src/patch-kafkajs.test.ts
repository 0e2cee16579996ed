import { describe, expect, it } from '@jest/globals';
import { checkKafkajsVersion } from './kafkajs-internals.js';
import { patchKafkajs } from './patch-kafkajs.js';

describe('patching kafkajs', () => {
  it('works with the version that is installed, any number of times', () => {
    patchKafkajs();
    expect(patchKafkajs).not.toThrow();
  });

  it('rejects a version whose inside is unknown, naming both', () => {
    const misconfigured = expect.objectContaining({ code: 'dependency_misconfigured', retriable: false });
    expect(() => checkKafkajsVersion('2.2.5')).toThrow(misconfigured);
    expect(() => checkKafkajsVersion('2.2.5')).toThrow(/kafkajs 2\.2\.5 .* 2\.2\.4/);
  });
});
