import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createTokenText } from '@perennial/access';
import { type ApiClient, createApiClient } from '@perennial/client';
import {
  DEFAULT_PARTITIONS,
  LIVE_NAMESPACE,
  parseNamespace,
  SERVICE_NAMES,
  type ServiceName,
} from '@perennial/contracts';
import { AppError, must } from '@perennial/kernel';
import {
  attachStack,
  closeInstallation,
  type Layout,
  type StackEndpoints,
  startStack,
  stopStack,
  toLayout,
  withLock,
} from '@perennial/native-stack';
import { type ArtifactPaths, checkArtifacts, chooseArtifacts } from './check-artifacts.js';
import type { ClockMode } from './environment.js';
import { toFingerprint } from './fingerprint.js';
import {
  checkIngestPort,
  choosePorts,
  endWhatIsOutdated,
  findOutdated,
  killService,
  startMissing,
  toEnvironment,
  toPort,
} from './namespace-processes.js';
import {
  listNamespaces,
  loadNamespaceState,
  type NamespaceState,
  type ProcessName,
  removeNamespaceState,
  saveNamespaceState,
} from './namespace-state.js';
import type { PlatformOptions } from './platform-options.js';
import { importToken, provision } from './provision.js';
import { removeSecret } from './secret.js';
import { endServiceProcess, findServiceScript, runServiceCommand, toServiceUrl } from './service-process.js';

const LOCK_WAIT_MS_MAX = 300_000;

export interface Platform {
  readonly namespace: string;
  readonly layout: Layout;
  readonly endpoints: StackEndpoints;
  readonly partitions: number;
  readonly clockMode: ClockMode;
  readonly urls: Readonly<Record<ServiceName, string>>;
  /** Token with every scope of the namespace's services. */
  readonly token: string;
  /** Calls the namespace's services at their address at the time of the call. */
  readonly client: ApiClient;
  /** What this call had to start: parts of the stack and services. */
  readonly started: readonly string[];
  /** The variables of a service, for one-shot commands. */
  environmentOf(service: ServiceName): Readonly<Record<string, string>>;
  /** Runs `main.js <args>` of a service in this namespace; returns its stdout. */
  runCommand(service: ServiceName, args: readonly string[]): Promise<string>;
  /** `kill -9`, for crash tests; resolves when the process has ended. In one process it kills all services. */
  kill(service: ServiceName): Promise<void>;
  /** Starts what does not run (after `kill`) and waits until it is ready. */
  restart(): Promise<void>;
  /** Replaces the installation's own token: the old one is revoked, the new one returned. */
  renewToken(): Promise<string>;
  /** Ends this namespace's services; the stack keeps running. */
  stop(): Promise<void>;
}

/** Starts a namespace: stack, topics, tables, artifacts, services, all ready. Does only what is missing; idempotent. */
export async function ensurePlatform(options: PlatformOptions = {}): Promise<Platform> {
  const layout = toLayout({ root: options.root, home: options.home });
  const namespace = parseNamespace(options.namespace ?? LIVE_NAMESPACE);
  for (const service of SERVICE_NAMES) findServiceScript(layout.root, service);
  await checkRequest(layout, namespace, options);
  closeInstallation(layout);
  const stack =
    options.endpoints ??
    (await startStack({
      root: layout.root,
      home: layout.home,
      ports: options.stackPorts,
      onProgress: options.onProgress,
    }));
  const startedParts = 'started' in stack ? (stack.started as readonly string[]) : [];
  const bringUp = () => bringNamespaceUp({ layout, namespace, endpoints: stack, options });
  const lock = join(layout.stateDir, `namespace-${namespace}.lock`);
  const { state, started } = await withLock(lock, bringUp, { waitMsMax: LOCK_WAIT_MS_MAX });
  return toPlatform({ layout, namespace, endpoints: stack, options }, state, [...startedParts, ...started]);
}

/** A namespace that was started before, as it is; undefined when its stack does not run. Starts nothing. */
export function attachPlatform(
  options: Pick<PlatformOptions, 'root' | 'home' | 'namespace'> = {},
): Platform | undefined {
  const layout = toLayout({ root: options.root, home: options.home });
  const namespace = parseNamespace(options.namespace ?? LIVE_NAMESPACE);
  const endpoints = attachStack({ root: layout.root, home: layout.home });
  const state = loadNamespaceState(layout.stateDir, namespace);
  if (endpoints === undefined || state?.provisioned == null) return undefined;
  return toPlatform({ layout, namespace, endpoints, options }, state, []);
}

function toPlatform(
  { layout, namespace, endpoints, options }: BringUp,
  state: NamespaceState,
  started: readonly string[],
): Platform {
  const environmentOf = (service: ServiceName) => toEnvironment({ layout, endpoints, options }, state, service);
  return {
    namespace,
    layout,
    endpoints: {
      kafkaBrokers: endpoints.kafkaBrokers,
      redisUrl: endpoints.redisUrl,
      postgresUrl: endpoints.postgresUrl,
    },
    partitions: state.partitions,
    clockMode: state.clockMode,
    urls: Object.fromEntries(SERVICE_NAMES.map((service) => [service, toServiceUrl(toPort(state, service))])) as Record<
      ServiceName,
      string
    >,
    token: state.token,
    client: createApiClient({
      token: state.token,
      urlOf: (service) => toServiceUrl(toPort(loadNamespaceState(layout.stateDir, namespace) ?? state, service)),
    }),
    started,
    environmentOf,
    runCommand: (service, args) => runServiceCommand(layout.root, service, args, environmentOf(service)),
    kill: (service) => killService(layout, namespace, service),
    restart: async () => {
      await ensurePlatform({ ...options, endpoints });
    },
    renewToken: () => renewToken({ layout, namespace, endpoints, options }),
    stop: () => stopNamespace({ root: layout.root, home: layout.home, namespace }),
  };
}

async function renewToken({ layout, namespace, endpoints, options }: BringUp): Promise<string> {
  const renew = async () => {
    const state = must(loadNamespaceState(layout.stateDir, namespace), `state of ${namespace}`);
    state.token = createTokenText();
    const environmentOf = (service: ServiceName) => toEnvironment({ layout, endpoints, options }, state, service);
    await importToken({ layout, state, environmentOf });
    saveNamespaceState(layout.stateDir, state);
    return state.token;
  };
  return withLock(join(layout.stateDir, `namespace-${namespace}.lock`), renew, { waitMsMax: LOCK_WAIT_MS_MAX });
}

/** Ends a namespace's services, and no other's. */
export async function stopNamespace({
  root,
  home,
  namespace,
}: {
  root?: string;
  home?: string | undefined;
  namespace: string;
}): Promise<void> {
  const layout = toLayout({ root, home });
  const stop = async () => {
    const state = loadNamespaceState(layout.stateDir, namespace);
    if (state === undefined) return;
    const names: ProcessName[] = [...SERVICE_NAMES, 'one-process'];
    await Promise.all(
      names.map((name) => endServiceProcess(layout, { namespace, name, recorded: state.processes[name]?.process })),
    );
    state.processes = {};
    saveNamespaceState(layout.stateDir, state);
  };
  await withLock(join(layout.stateDir, `namespace-${namespace}.lock`), stop, { waitMsMax: LOCK_WAIT_MS_MAX });
}

/** Ends everything of an installation; with `removeData` its data is removed too. */
export async function stopPlatform({
  root,
  home,
  removeData = false,
}: {
  root?: string;
  home?: string;
  removeData?: boolean;
} = {}): Promise<void> {
  const layout = toLayout({ root, home });
  const namespaces = listNamespaces(layout.stateDir);
  await Promise.all(namespaces.map((namespace) => stopNamespace({ root: layout.root, home: layout.home, namespace })));
  await stopStack({ root: layout.root, home: layout.home, removeData });
  if (!removeData) return;
  for (const namespace of namespaces) removeNamespaceState(layout.stateDir, namespace);
  // Without data there is nothing left that the secret could decrypt.
  removeSecret(layout.stateDir);
  for (const folder of [layout.snapshotDir, layout.artifactsDir, layout.archiveDir, layout.logDir])
    rmSync(folder, { recursive: true, force: true });
}

interface BringUp {
  readonly layout: Layout;
  readonly namespace: string;
  readonly endpoints: StackEndpoints;
  readonly options: PlatformOptions;
}

async function bringNamespaceUp({
  layout,
  namespace,
  endpoints,
  options,
}: BringUp): Promise<{ state: NamespaceState; started: ProcessName[] }> {
  const state = loadNamespaceState(layout.stateDir, namespace) ?? createNamespaceState(namespace, options);
  checkUnchanged(state, options);
  state.oneProcess = options.oneProcess ?? state.oneProcess;
  const outdated = findOutdated({ layout, endpoints, options }, state);
  await checkIngestPort(state, { given: options.ingestPort, outdated });
  await endWhatIsOutdated(layout, state, outdated);
  await choosePorts(state, { ingest: options.ingestPort });
  saveNamespaceState(layout.stateDir, state);

  const artifactPaths = chooseArtifacts(state.artifactPaths, options.artifactPaths);
  await provisionChanged({ layout, namespace, endpoints, options }, state, artifactPaths);
  const started = await startMissing({ layout, endpoints, options }, state);
  return { state, started };
}

/** Provisions from these sources where that has something to do; they are remembered once all are in force. */
async function provisionChanged(
  { layout, endpoints, options }: BringUp,
  state: NamespaceState,
  artifactPaths: ArtifactPaths,
): Promise<void> {
  const fingerprint = toFingerprint(layout.root, { ...state, artifactPaths });
  if (state.provisioned?.fingerprint === fingerprint) return;
  const inForce = await provision({
    layout,
    state: { ...state, artifactPaths },
    kafkaBrokers: endpoints.kafkaBrokers,
    environmentOf: (service) => toEnvironment({ layout, endpoints, options }, state, service),
    onProgress: options.onProgress ?? (() => undefined),
    onRolledOut(soFar) {
      state.provisioned = { fingerprint: '', inForce: soFar };
      saveNamespaceState(layout.stateDir, state);
    },
  });
  state.artifactPaths = artifactPaths;
  state.provisioned = { fingerprint, inForce };
  saveNamespaceState(layout.stateDir, state);
}

/** Everything that can be found wrong before anything is started or written: an invalid request changes nothing. */
async function checkRequest(layout: Layout, namespace: string, options: PlatformOptions): Promise<void> {
  const known = loadNamespaceState(layout.stateDir, namespace);
  if (known !== undefined) checkUnchanged(known, options);
  const artifactPaths = chooseArtifacts(known?.artifactPaths ?? {}, options.artifactPaths);
  // Defaults belong to this build, whose tests check them.
  if (Object.keys(artifactPaths).length === 0) return;
  if (known !== undefined && isInForce(layout.root, known, artifactPaths)) return;
  await checkArtifacts(layout.root, artifactPaths);
}

function isInForce(root: string, state: NamespaceState, artifactPaths: ArtifactPaths): boolean {
  const isThere = Object.values(artifactPaths).every((path) => existsSync(resolve(root, path)));
  return isThere && state.provisioned?.fingerprint === toFingerprint(root, { ...state, artifactPaths });
}

function createNamespaceState(namespace: string, options: PlatformOptions): NamespaceState {
  return {
    version: 1,
    namespace,
    clockMode: options.clockMode ?? (namespace === LIVE_NAMESPACE ? 'wall' : 'events'),
    partitions: options.partitions ?? DEFAULT_PARTITIONS,
    token: createTokenText(),
    provisioned: null,
    artifactPaths: {},
    oneProcess: false,
    ports: {},
    processes: {},
  };
}

/** Partitions and clock are in the data already written: other values need a new namespace. */
function checkUnchanged({ namespace, partitions, clockMode }: NamespaceState, options: PlatformOptions): void {
  if (options.partitions !== undefined && options.partitions !== partitions) {
    throw new AppError(
      'config_invalid',
      `namespace ${namespace} has ${partitions} partitions, not ${options.partitions}: the number is fixed when it is created; use another --namespace`,
    );
  }
  if (options.clockMode !== undefined && options.clockMode !== clockMode) {
    throw new AppError(
      'config_invalid',
      `namespace ${namespace} runs on clock mode ${clockMode}, not ${options.clockMode}: use another --namespace`,
    );
  }
}
