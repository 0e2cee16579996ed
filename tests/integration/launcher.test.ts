import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ARTIFACT_KIND_NAMES, ARTIFACT_KINDS, SERVICE_NAMES } from '@perennial/contracts';
import { must } from '@perennial/kernel';
import { describePlatform, ensurePlatform, loadNamespaceState, type Platform } from '@perennial/launcher';
import { readTestEnvironment } from '../support/environment.js';
import { createFakeInstallation } from '../support/fake-installation.js';

describe('launcher', () => {
  const { brokers, redisUrl, postgresUrl } = readTestEnvironment();
  const installation = createFakeInstallation();
  const namespace = `t${randomUUID().slice(0, 8)}`;
  const options = {
    root: installation.root,
    home: installation.home,
    namespace,
    partitions: 2,
    endpoints: { kafkaBrokers: brokers.join(','), redisUrl, postgresUrl },
  };
  const readPids = () => {
    const state = must(loadNamespaceState(`${installation.home}/state`, namespace), 'state');
    return Object.fromEntries(Object.entries(state.processes).map(([name, { process: ref }]) => [name, ref.pid]));
  };
  let platform: Platform;

  afterAll(async () => {
    await platform?.stop();
    rmSync(installation.root, { recursive: true, force: true });
  });

  it('provisions topics, tables and configs, then starts every service', async () => {
    platform = await ensurePlatform(options);
    expect(platform.started).toEqual(SERVICE_NAMES);
    expect(platform.clockMode).toBe('events');
    for (const url of Object.values(platform.urls)) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const commands = installation.readCommands();
    // The token is passed in the environment: all local users can see arguments.
    const tokens = 'ingest tokens import --name local --scopes read,write,operate';
    expect(commands.slice(0, 4).sort()).toEqual(['action migrate', 'ingest migrate', tokens, 'scoring migrate']);
    expect(commands.indexOf(tokens)).toBeGreaterThan(commands.indexOf('ingest migrate'));
    const firstWords = (line: string, count: number) => line.split(' ').slice(0, count).join(' ');
    const registered = ARTIFACT_KIND_NAMES.map((kind) => `${ARTIFACT_KINDS[kind].owner} register ${kind}`);
    expect(commands.slice(4, 4 + registered.length).map((line) => firstWords(line, 3))).toEqual(registered);
    expect(commands.slice(4 + registered.length).map((line) => firstWords(line, 4))).toEqual(
      ARTIFACT_KIND_NAMES.map((kind) => `ingest rollout --kind ${kind}`),
    );
  });

  it('has a token of its own, in a file for its owner alone', () => {
    const path = `${installation.home}/state/namespaces/${namespace}.json`;
    expect(platform.token).toMatch(/^pt_/);
    expect(readFileSync(path, 'utf8')).toContain(platform.token);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('shows no secret in the arguments of any process', () => {
    const secrets = [platform.token, ...[redisUrl, postgresUrl].map((url) => new URL(url).password)];
    const lines = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readIfThere(`/proc/${pid}/cmdline`));
    expect(lines.length).toBeGreaterThan(SERVICE_NAMES.length);
    for (const secret of secrets.filter((text) => text !== '' && text !== 'test-only'))
      expect(lines.filter((line) => line.includes(secret))).toEqual([]);
  });

  it('closes its folders to other users', () => {
    for (const name of readdirSync(installation.home)) {
      const { mode } = statSync(`${installation.home}/${name}`);
      expect({ name, others: mode & 0o007 }).toEqual({ name, others: 0 });
    }
  });

  it('makes another token when it is asked to', async () => {
    const before = platform.token;
    const renewed = await platform.renewToken();
    expect(renewed).not.toBe(before);
    expect(installation.readCommands().at(-1)).toContain('ingest tokens import --name local');
    platform = await ensurePlatform(options);
    expect(platform.token).toBe(renewed);
    expect(platform.started).toEqual([]);
  });

  it('does nothing the second time', async () => {
    const pids = readPids();
    const commands = installation.readCommands();
    expect((await ensurePlatform(options)).started).toEqual([]);
    expect(readPids()).toEqual(pids);
    expect(installation.readCommands()).toEqual(commands);
  });

  it('puts a changed policy in force without a restart', async () => {
    const pids = readPids();
    const before = installation.readCommands().length;
    installation.writePolicy('strategies: {other: {}}\n');
    await ensurePlatform(options);
    expect(readPids()).toEqual(pids);
    const rollouts = installation
      .readCommands()
      .slice(before)
      .filter((line) => line.includes('ingest rollout'));
    expect(rollouts).toHaveLength(1);
    expect(rollouts[0]).toContain('--kind policy');
  });

  it('remembers no file that is invalid or not there, and goes on as before', async () => {
    const statePath = `${installation.home}/state/namespaces/${namespace}.json`;
    const before = { state: readFileSync(statePath, 'utf8'), commands: installation.readCommands(), pids: readPids() };
    const typo = `${installation.root}/typo.yaml`;
    writeFileSync(typo, 'stagez: {}\n');
    for (const lifecycle of [typo, `${installation.root}/none.yaml`]) {
      await expect(ensurePlatform({ ...options, artifactPaths: { lifecycle } })).rejects.toThrow('nothing was changed');
      expect((await ensurePlatform(options)).started).toEqual([]);
    }
    expect(readFileSync(statePath, 'utf8')).toBe(before.state);
    expect(installation.readCommands()).toEqual(before.commands);
    expect(readPids()).toEqual(before.pids);
  });

  it('starts a service that was killed again, and no other', async () => {
    const pids = readPids();
    await platform.kill('scoring');
    await expect(fetch(platform.urls.scoring)).rejects.toThrow();
    await platform.restart();
    const after = readPids();
    expect(after.scoring).not.toBe(pids.scoring);
    expect({ ...after, scoring: 0 }).toEqual({ ...pids, scoring: 0 });
    expect((await fetch(`${platform.urls.scoring}/health/ready`)).status).toBe(200);
  });

  it('rejects another partition count, and a port that is taken', async () => {
    await expect(ensurePlatform({ ...options, partitions: 3 })).rejects.toThrow('has 2 partitions, not 3');
    const { server, port } = await listen();
    const other = { ...options, namespace: `${namespace}-b`, ingestPort: port };
    await expect(ensurePlatform(other)).rejects.toThrow(
      `port ${port} for ingest is taken by another program: free it, or choose another with --http-port`,
    );
    server.close();
  });

  it('says what helps when another program takes a port in the last moment', async () => {
    await platform.kill('scoring');
    const port = Number(new URL(platform.urls.scoring).port);
    const intruder = createHttpServer((_request, response) => response.writeHead(404).end());
    const onProgress = (message: string) => {
      if (message.startsWith('starting ')) intruder.listen(port, '127.0.0.1');
    };
    await expect(ensurePlatform({ ...options, onProgress })).rejects.toThrow(
      `another program took port ${port} while scoring started: run \`./perennial up --namespace ${namespace}\` again`,
    );
    platform = await ensurePlatform(options);
    expect(platform.started).toEqual(['scoring']);
    expect(platform.urls.scoring).not.toContain(`:${port}`);
    intruder.close();
  });

  it('describes services, topics and lag', async () => {
    const { namespaces } = await describePlatform({ root: installation.root, home: installation.home, namespace });
    expect(namespaces[0]?.services.action).toMatchObject({ ready: true, url: platform.urls.action });
  });

  it('ends what it started', async () => {
    await platform.stop();
    for (const url of Object.values(platform.urls)) await expect(fetch(url)).rejects.toThrow();
    expect(readPids()).toEqual({});
  });
});

function listen(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => resolve({ server, port: (server.address() as { port: number }).port }));
  });
}

/** A process may end while it is looked at. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
