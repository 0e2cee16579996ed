import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { INITIAL_RULES } from '@perennial/identity';
import { toSha256 } from '@perennial/kernel';
import { createFeatureArtifacts } from './artifacts.js';
import { readIdentityFile } from './commands.js';

const toRules = (email: string) => `version: 1\nkinds: { email: { ${email} } }\n`;

describe('rules about ids', () => {
  it('that are registered are read first: every problem is named with its file', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'identity-')), 'mine.yaml');
    writeFileSync(path, toRules('strength: 200, read: [traits.email]'));
    expect((await readIdentityFile(path)).rules.kinds.map(({ name }) => name)).toEqual(['user', 'email', 'anonymous']);
    writeFileSync(path, toRules('strength: 0, read: [email]'));
    await expect(readIdentityFile(path)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/^mine\.yaml:2:\d+: .*\nmine\.yaml|^mine\.yaml:2:\d+: /),
    });
  });

  describe('of a rollout', () => {
    const objects = new Map<string, Buffer>();
    const artifacts = createFeatureArtifacts(
      { load: async (_, hash) => objects.get(hash) ?? Buffer.alloc(0), list: async () => [] },
      { specs: new FeatureSpecs(ECOMMERCE_FEATURES) },
    );
    const rollOut = (number: number, content: string) => {
      const hash = toSha256(content);
      objects.set(hash, Buffer.from(content));
      return { kind: 'identity', number, hash };
    };
    const first = rollOut(1, toRules('strength: 200, read: [traits.email]'));
    const inForce = new Map([['identity', first]]);

    it('are in force where they are right, and those before any are the default', async () => {
      await expect(artifacts.loadRollout(first, new Map())).resolves.toBeUndefined();
      expect((await artifacts.identity(first)).kindOf(200)?.name).toBe('email');
      expect(await artifacts.identity(undefined)).toBe(INITIAL_RULES);
    });

    it('are not in force where they are wrong, or give a kind another strength', async () => {
      const wrong = rollOut(2, 'version: 1\nkinds: []\n');
      await expect(artifacts.loadRollout(wrong, inForce)).resolves.toMatchObject({
        reason: expect.stringContaining('identity.yaml:2:8'),
      });
      const moved = rollOut(3, toRules('strength: 100, read: [traits.email]'));
      await expect(artifacts.loadRollout(moved, inForce)).resolves.toMatchObject({
        reason: expect.stringContaining('the kind email has the strength 100, and 200 in rules before these'),
      });
      const wider = rollOut(4, toRules('strength: 200, read: [traits.email, traits.mail]'));
      await expect(artifacts.loadRollout(wider, inForce)).resolves.toBeUndefined();
    });
  });
});
