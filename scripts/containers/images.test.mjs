import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { IMAGES, setPins, toPin } from './images.mjs';

const root = join(import.meta.dirname, '..', '..');
const { services } = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true });
const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('images from elsewhere', () => {
  it('can each be pinned by a variable, with the tag as default', () => {
    for (const [store, name] of [
      ['kafka', 'KAFKA_IMAGE'],
      ['redis', 'REDIS_IMAGE'],
      ['postgres', 'POSTGRES_IMAGE'],
    ])
      expect(services[store].image).toBe(`\${${name}:-${IMAGES[name]}}`);
    for (const { build } of Object.values(services).filter((service) => service.build !== undefined))
      expect(build.args.NODE_IMAGE).toBe(`\${NODE_IMAGE:-${IMAGES.NODE_IMAGE}}`);
    const dockerfile = readFileSync(join(root, 'infra/docker/service.Dockerfile'), 'utf8');
    expect(dockerfile).toContain(`ARG NODE_IMAGE=${IMAGES.NODE_IMAGE}\n`);
    expect(dockerfile.match(/^FROM (?!\$\{NODE_IMAGE\}|build |runtime )/m)).toBeNull();
  });

  it('are pinned by the digest of their registry, and by no other', () => {
    expect(toPin('redis:7.2-bookworm', [`other@${DIGEST}`, `redis@${DIGEST}`])).toBe(`redis:7.2-bookworm@${DIGEST}`);
    expect(toPin('apache/kafka:4.3.0', [`docker.io/apache/kafka@${DIGEST}`])).toBe(`apache/kafka:4.3.0@${DIGEST}`);
    expect(() => toPin('redis:7.2-bookworm', [])).toThrow('no digest of a registry');
    expect(() => toPin('redis:7.2-bookworm', ['redis@<none>'])).toThrow('no digest of a registry');
    expect(setPins('A=1\nREDIS_IMAGE=old\n\n', { REDIS_IMAGE: 'new' })).toBe('A=1\nREDIS_IMAGE=new\n');
  });
});

describe('every container', () => {
  it.each(Object.entries(services))('%s: has no capabilities, and can get no privileges', (_, service) => {
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.cap_add).toBeUndefined();
    expect(service.privileged).toBeUndefined();
  });

  it.each(Object.entries(services))('%s: has a log of limited size, and no other', (_, { logging, command = [] }) => {
    expect(logging).toEqual({ driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } });
    expect([command].flat().join(' ')).not.toMatch(/logfile|logging_collector|log_directory/);
  });

  it.each(['kafka', 'redis', 'postgres'])('%s: begins as a user of its own, not as root', (store) => {
    expect(services[store].user).toMatch(/^(appuser|redis|postgres)$/);
  });

  it('has a read-only file system, but for Kafka, which writes its configuration into its own folder', () => {
    const writable = Object.keys(services).filter((name) => services[name].read_only !== true);
    expect(writable).toEqual(['kafka']);
  });

  it('names no secret in its arguments, which every user of the machine can see', () => {
    for (const { command = [], entrypoint = [] } of Object.values(services))
      expect([command, entrypoint].flat().join(' ')).not.toMatch(/(?<!\$)\$\{[A-Z_]*(PASSWORD|SECRET|TOKEN)/);
  });
});
