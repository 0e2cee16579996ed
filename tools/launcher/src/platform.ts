import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createTokenText } from '@perennial/access';
import { type ApiClient, createApiClient } from '@perennial/client';
import {
  type ArtifactKind,
  DEFAULT_PARTITIONS,
  LIVE_NAMESPACE,
  parseNamespace,
  SERVICE_NAMES,
  SERVICES,
  type ServiceName,
} from '@perennial/contracts';
import { AppError, must } from '@perennial/kernel';
import {
  attachStack,
  isPortFree,
  isRunning,
  type Layout,
  type Part,
  pickPort,
  requirePort,
  type StackEndpoints,
  sendSignal,
  startStack,
  stopStack,
  toLayout,
  withLock,
} from '@perennial/native-stack';
import { type ClockMode, toEnvironmentHash, toServiceEnvironment } from './environment.js';
import { toFingerprint } from './fingerprint.js';
import {
  listNamespaces,
  loadNamespaceState,
  type NamespaceState,
  type ProcessName,
  removeNamespaceState,
  saveNamespaceState,
} from './namespace-state.js';
import { provision } from './provision.js';
import { loadSecret, removeSecret } from './secret.js';
import {
  endServiceProcess,
  findServiceScript,
  readReadiness,
  runServiceCommand,
  startServiceProcess,
  toServiceUrl,
  waitForService,
} from './service-process.js';

const LOCK_WAIT_MS_MAX = 300_000;

export interface PlatformOptions {
  /** The repository; found by itself when absent. */
  readonly root?: string | undefined;
  /** Folder of state, data and logs; default `<root>/.perennial`. Tests give their own. */
  readonly home?: string | undefined;
  /** Default `live`. */
  readonly namespace?: string | undefined;
  /** Default `wall` for live and `events` for any other; fixed when the namespace is created. */
  readonly clockMode?: ClockMode | undefined;
  /** All services in one process. */
  readonly oneProcess?: boolean | undefined;
  /** Fixed when the namespace is created; default DEFAULT_PARTITIONS. */
  readonly partitions?: number | undefined;
  readonly stackPorts?: Partial<Record<Part, number>> | undefined;
  /** The front door's own port; the other services take a preferred one or, where taken, any free one. */
  readonly ingestPort?: number | undefined;
  /** A lifecycle chart, model folder or policy other than the default, kept until another is given. */
  readonly artifactPaths?: Partial<Record<ArtifactKind, string>> | undefined;
  /** A stack that runs already (tests); else the installation's own is started. */
  readonly endpoints?: StackEndpoints | undefined;
  /** Further variables for every service. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
}

export interface Platform {
  readonly namespace: string;
  readonly layout: Layout;
  readonly endpoints: StackEndpoints;
  readonly partitions: number;
  readonly clockMode: ClockMode;
  readonly urls: Readonly<Record<ServiceName, string>>;
  /** Opens every door of the namespace's services. */
  readonly token: string;
  /** Calls the namespace's services, wherever they are at the time of the call. */
  readonly client: ApiClient;
  /** What this call had to start: parts of the stack and services. */
  readonly started: readonly string[];
  /** The variables of a service, for one-shot commands. */
  environmentOf(service: ServiceName): Readonly<Record<string, string>>;
  /** Runs `main.js <args>` of a service in this namespace; gives its stdout. */
  runCommand(service: ServiceName, args: readonly string[]): Promise<string>;
  /** `kill -9`, for crash tests; resolves when the process is gone. In one process it takes all services. */
  kill(service: ServiceName): Promise<void>;
  /** Starts what does not run (after `kill`) and waits until it is ready. */
  restart(): Promise<void>;
  /** Ends this namespace's services; the stack stays. */
  stop(): Promise<void>;
}

/** Brings a namespace up: stack, topics, tables, artifacts, services, all ready. Does only what is missing; safe to call again. */
export async function ensurePlatform(options: PlatformOptions = {}): Promise<Platform> {
  const layout = toLayout({ root: options.root, home: options.home });
  const namespace = parseNamespace(options.namespace ?? LIVE_NAMESPACE);
  for (const service of SERVICE_NAMES) findServiceScript(layout.root, service);
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

/** A namespace that was brought up before, as it is; undefined when its stack does not run. Starts nothing. */
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
    stop: () => stopNamespace({ root: layout.root, home: layout.home, namespace }),
  };
}

/** Ends a namespace's services, and nobody else's. */
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

/** Ends everything of an installation; with `removeData` its data goes too. */
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
  // Without data there is nothing left that the secret could open.
  removeSecret(layout.stateDir);
  for (const folder of [layout.snapshotDir, layout.archiveDir, layout.logDir])
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
  const onProgress = options.onProgress ?? (() => undefined);
  const state = loadNamespaceState(layout.stateDir, namespace) ?? createNamespaceState(namespace, options);
  checkUnchanged(state, options);
  state.artifactPaths = { ...state.artifactPaths, ...options.artifactPaths };
  state.oneProcess = options.oneProcess ?? state.oneProcess;
  await endWhatIsOutdated({ layout, endpoints, options }, state);
  await choosePorts(state, { ingest: options.ingestPort });
  saveNamespaceState(layout.stateDir, state);

  const environmentOf = (service: ServiceName) => toEnvironment({ layout, endpoints, options }, state, service);
  const fingerprint = toFingerprint(layout.root, state);
  if (state.provisioned?.fingerprint !== fingerprint) {
    const inForce = await provision({ layout, state, kafkaBrokers: endpoints.kafkaBrokers, environmentOf, onProgress });
    state.provisioned = { fingerprint, inForce };
    saveNamespaceState(layout.stateDir, state);
  }
  const started = await startMissing({ layout, endpoints, options }, state);
  return { state, started };
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

/** Partitions and clock are in the data already written: asking for others means a new namespace. */
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

type Installation = Pick<BringUp, 'layout' | 'endpoints' | 'options'>;

/** Ends processes that died half-way, run with an old environment, or in the other arrangement (one or many). */
async function endWhatIsOutdated(installation: Installation, state: NamespaceState): Promise<void> {
  const wanted = toWantedProcesses(state);
  const { layout } = installation;
  for (const name of [...SERVICE_NAMES, 'one-process'] as const) {
    const running = state.processes[name];
    const upToDate =
      wanted.includes(name) &&
      running !== undefined &&
      isRunning(running.process) &&
      running.environmentHash === toEnvironmentHash(toProcessEnvironment(installation, state, name));
    if (upToDate) continue;
    await endServiceProcess(layout, { namespace: state.namespace, name, recorded: running?.process });
    delete state.processes[name];
  }
}

async function choosePorts(state: NamespaceState, given: { readonly ingest: number | undefined }): Promise<void> {
  for (const service of SERVICE_NAMES) {
    const running = state.processes[state.oneProcess ? 'one-process' : service] !== undefined;
    const port = service === 'ingest' ? given.ingest : undefined;
    if (running && (port === undefined || port === state.ports[service])) continue;
    if (running)
      throw new AppError(
        'config_invalid',
        `${service} already runs on port ${state.ports[service]}: run \`./perennial down\` first`,
      );
    const preferred =
      state.ports[service] ?? (state.namespace === LIVE_NAMESPACE ? SERVICES[service].preferredPort : undefined);
    state.ports[service] =
      port === undefined
        ? await pickPort(preferred)
        : await requirePort(port, { owner: service, option: '--http-port' });
  }
}

async function startMissing(installation: Installation, state: NamespaceState): Promise<ProcessName[]> {
  const { layout, options } = installation;
  const { namespace } = state;
  const missing = toWantedProcesses(state).filter((name) => state.processes[name] === undefined);
  if (missing.length > 0) options.onProgress?.(`starting ${missing.join(', ')} of namespace ${namespace}`);
  for (const name of missing) {
    const environment = toProcessEnvironment(installation, state, name);
    const script =
      name === 'one-process'
        ? join(layout.root, 'tools', 'launcher', 'dist', 'one-process.js')
        : findServiceScript(layout.root, name);
    const ref = await startServiceProcess(layout, { namespace, name, script, environment });
    state.processes[name] = { process: ref, environmentHash: toEnvironmentHash(environment) };
    saveNamespaceState(layout.stateDir, state);
  }
  await Promise.all(SERVICE_NAMES.map((service) => waitUntilServes(layout, state, service, options.onProgress)));
  return missing;
}

async function waitUntilServes(
  layout: Layout,
  state: NamespaceState,
  service: ServiceName,
  onProgress?: (message: string) => void,
): Promise<void> {
  const name = state.oneProcess ? 'one-process' : service;
  const port = toPort(state, service);
  if ((await readReadiness(port)).ready) return;
  onProgress?.(`waiting for ${service} to be ready`);
  const { process: ref } = must(state.processes[name], `process of ${name}`);
  try {
    await waitForService(layout, { namespace: state.namespace, name, ref, port, what: service });
  } catch (cause) {
    if (isRunning(ref) || (await isPortFree(port))) throw cause;
    const flag = state.namespace === LIVE_NAMESPACE ? '' : ` --namespace ${state.namespace}`;
    throw new AppError(
      'dependency_unavailable',
      `another program took port ${port} while ${service} started: run \`./perennial up${flag}\` again, which chooses another`,
      { cause },
    );
  }
}

async function killService(layout: Layout, namespace: string, service: ServiceName): Promise<void> {
  const state = loadNamespaceState(layout.stateDir, namespace);
  const running = state?.processes[state.oneProcess ? 'one-process' : service];
  if (running === undefined || !sendSignal(running.process, 'SIGKILL'))
    throw new AppError('not_found', `${service} of namespace ${namespace} does not run`);
  while (isRunning(running.process)) await new Promise((resolve) => setTimeout(resolve, 5));
}

function toWantedProcesses(state: NamespaceState): ProcessName[] {
  return state.oneProcess ? ['one-process'] : [...SERVICE_NAMES];
}

function toProcessEnvironment(
  installation: Installation,
  state: NamespaceState,
  name: ProcessName,
): Record<string, string> {
  if (name !== 'one-process') return toEnvironment(installation, state, name);
  const all = Object.fromEntries(
    SERVICE_NAMES.map((service) => [service, toEnvironment(installation, state, service)]),
  );
  return { PERENNIAL_ONE_PROCESS: JSON.stringify(all) };
}

function toEnvironment(
  { layout, endpoints, options }: Installation,
  state: NamespaceState,
  service: ServiceName,
): Record<string, string> {
  return toServiceEnvironment({
    service,
    namespace: state.namespace,
    clockMode: state.clockMode,
    secret: loadSecret(layout.stateDir),
    endpoints,
    port: state.ports[service] ?? 0,
    snapshotDir: layout.snapshotDir,
    archiveDir: layout.archiveDir,
    extra: options.environment ?? {},
  });
}

function toPort(state: NamespaceState, service: ServiceName): number {
  return must(state.ports[service], `port of ${service}`);
}
