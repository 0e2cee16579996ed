import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SERVICE_NAMES } from '@perennial/contracts';
import { toLayout } from '@perennial/native-stack';
import { checkArtifacts, chooseArtifacts } from './check-artifacts.js';
import { loadNamespaceState, saveNamespaceState } from './namespace-state.js';
import { ensurePlatform } from './platform.js';

const { root } = toLayout();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-artifacts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const readDefault = (name: string) => readFileSync(join(root, 'infra', 'defaults', name), 'utf8');

describe('sources of artifacts', () => {
  it('are kept until another is given, or the choice is taken back', () => {
    const before = { policy: '/a/policy.yaml', lifecycle: '/a/lifecycle.yaml' };
    expect(chooseArtifacts(before)).toEqual(before);
    expect(chooseArtifacts(before, { policy: '/b.yaml', model: '/m' })).toEqual({
      policy: '/b.yaml',
      lifecycle: '/a/lifecycle.yaml',
      model: '/m',
    });
    expect(chooseArtifacts(before, { policy: null, lifecycle: null })).toEqual({});
  });

  // The services are loaded, with all that they need: seconds on a busy machine.
  const LOAD_TIMEOUT_MS = 240_000;

  it(
    'pass where they fit each other',
    async () => {
      await checkArtifacts(root, {});
      const lifecycle = write('renamed.yaml', readDefault('lifecycle.yaml').replaceAll(/\bchurned\b/g, 'gone'));
      const policy = write('renamed-policy.yaml', readDefault('policy.yaml').replaceAll(/\bchurned\b/g, 'gone'));
      await checkArtifacts(root, { lifecycle, policy });
      // A policy goes with the chosen chart, not with the one that lies beside it.
      await expect(checkArtifacts(root, { lifecycle })).rejects.toThrow(
        /policy\.yaml:\d+:\d+: unknown stage "churned"/,
      );
    },
    LOAD_TIMEOUT_MS,
  );

  it(
    'are all reported at once, with file and line, and how to go back',
    async () => {
      const lifecycle = write('bad.yaml', readDefault('lifecycle.yaml').replace('stages:', 'stagez:'));
      const policy = write('bad-policy.yaml', readDefault('policy.yaml').replace('channels:', 'chanels:'));
      const model = join(folder, 'no-model');
      const error = await checkArtifacts(root, { lifecycle, policy, model }).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: 'config_invalid' });
      const message = (error as Error).message;
      expect(message).toMatch(/^nothing was changed:\n/);
      expect(message).toMatch(/no-model: cannot read .*manifest\.json/);
      expect(message).toMatch(/bad\.yaml:\d+:1: unknown key "stagez", did you mean "stages"\?/);
      expect(message).toMatch(/bad-policy\.yaml:\d+:1: unknown key "chanels", did you mean "channels"\?/);
      expect(message).toMatch(/`\.\/perennial up --model default --lifecycle default --policy default`$/);
    },
    LOAD_TIMEOUT_MS,
  );

  it.each([
    ['nothing at the path', () => undefined],
    ['a folder', (path: string) => void mkdirSync(path)],
    ['no JSON', (path: string) => writeFileSync(path, '{')],
    ['JSON of something else', (path: string) => writeFileSync(path, '{"a":1}')],
  ])('are invalid as a feature spec: %s', async (what, make) => {
    const path = join(folder, what.replaceAll(' ', '-'));
    make(path);
    await expect(checkArtifacts(root, { features: path })).rejects.toThrow(/nothing was changed:\n/);
  });
});

describe('a request with an invalid file', () => {
  const home = () => join(folder, 'home');
  /** A repository whose services are built; nothing of them is run. */
  const createRoot = () => {
    const fake = join(folder, 'root');
    for (const service of SERVICE_NAMES) {
      mkdirSync(join(fake, 'services', service, 'dist'), { recursive: true });
      writeFileSync(join(fake, 'services', service, 'dist', 'main.js'), '');
    }
    for (const name of ['features.json', 'lifecycle.yaml', 'policy.yaml']) {
      mkdirSync(join(fake, 'infra', 'defaults'), { recursive: true });
      copyFileSync(join(root, 'infra', 'defaults', name), join(fake, 'infra', 'defaults', name));
    }
    return fake;
  };

  it('starts nothing and leaves no trace, of a new namespace and of one that is there', async () => {
    const options = { root: createRoot(), home: home(), namespace: 'trial' };
    const bad = write('typo.yaml', 'stagez: {}\n');
    await expect(ensurePlatform({ ...options, artifactPaths: { lifecycle: bad } })).rejects.toThrow('typo.yaml:1:1');
    expect(existsSync(home())).toBe(false);

    const stateDir = join(home(), 'state');
    const state = {
      version: 1,
      namespace: 'trial',
      clockMode: 'events',
      partitions: 4,
      token: 'pt_x',
      provisioned: { fingerprint: 'x', inForce: [{ kind: 'policy', number: 3, hash: 'abc' }] },
      artifactPaths: {},
      oneProcess: false,
      ports: { ingest: 20_001 },
      processes: {},
    } as const;
    saveNamespaceState(stateDir, state);
    for (const wrong of [
      { artifactPaths: { lifecycle: bad } },
      { artifactPaths: { policy: join(folder, 'none.yaml') } },
      { artifactPaths: { lifecycle: bad, model: folder }, oneProcess: true },
      { partitions: 8 },
      { clockMode: 'wall' as const },
    ]) {
      await expect(ensurePlatform({ ...options, ...wrong })).rejects.toMatchObject({ code: 'config_invalid' });
      expect(loadNamespaceState(stateDir, 'trial')).toEqual(state);
      expect(existsSync(join(stateDir, 'stack.json'))).toBe(false);
    }
  });
});
