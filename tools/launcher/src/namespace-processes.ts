import { join } from 'node:path';
import { LIVE_NAMESPACE, SERVICE_NAMES, SERVICES, type ServiceName } from '@perennial/contracts';
import { AppError, must } from '@perennial/kernel';
import {
  isPortFree,
  isRunning,
  type Layout,
  pickPort,
  requirePort,
  type StackEndpoints,
  sendSignal,
} from '@perennial/native-stack';
import { toEnvironmentHash, toServiceEnvironment } from './environment.js';
import { loadNamespaceState, type NamespaceState, type ProcessName, saveNamespaceState } from './namespace-state.js';
import type { PlatformOptions } from './platform-options.js';
import { loadSecret } from './secret.js';
import {
  endServiceProcess,
  findServiceScript,
  readReadiness,
  startServiceProcess,
  waitForService,
} from './service-process.js';

/** Where processes run, and their environment besides what the namespace defines. */
export interface Installation {
  readonly layout: Layout;
  readonly endpoints: StackEndpoints;
  readonly options: Pick<PlatformOptions, 'environment' | 'onProgress'>;
}

/** Names of what dead processes left, and of processes with an outdated environment or of the other layout. */
export function findOutdated(installation: Installation, state: NamespaceState): readonly ProcessName[] {
  const wanted = toWantedProcesses(state);
  return ([...SERVICE_NAMES, 'one-process'] as const).filter((name) => {
    const running = state.processes[name];
    const isUpToDate =
      wanted.includes(name) &&
      running !== undefined &&
      isRunning(running.process) &&
      running.environmentHash === toEnvironmentHash(toProcessEnvironment(installation, state, name));
    return !isUpToDate;
  });
}

export async function endWhatIsOutdated(
  layout: Layout,
  state: NamespaceState,
  outdated: readonly ProcessName[],
): Promise<void> {
  for (const name of outdated) {
    const recorded = state.processes[name]?.process;
    await endServiceProcess(layout, { namespace: state.namespace, name, recorded });
    delete state.processes[name];
  }
}

/** Throws `config_invalid` for a port that ingest cannot get, before anything is ended for it. */
export async function checkIngestPort(
  state: NamespaceState,
  { given, outdated }: { readonly given: number | undefined; readonly outdated: readonly ProcessName[] },
): Promise<void> {
  const port = state.ports.ingest;
  if (given === undefined || given === port) return;
  if (!outdated.includes(state.oneProcess ? 'one-process' : 'ingest')) {
    throw new AppError('config_invalid', `ingest already runs on port ${port}: run \`./perennial down\` first`);
  }
  await requirePort(given, INGEST_PORT);
}

const INGEST_PORT = { owner: 'ingest', option: '--http-port' };

/** Assigns a port to each service that does not run: its previous one, a preferred one, or any free one. */
export async function choosePorts(
  state: NamespaceState,
  given: { readonly ingest: number | undefined },
): Promise<void> {
  for (const service of SERVICE_NAMES) {
    if (state.processes[state.oneProcess ? 'one-process' : service] !== undefined) continue;
    const port = service === 'ingest' ? given.ingest : undefined;
    const preferred =
      state.ports[service] ?? (state.namespace === LIVE_NAMESPACE ? SERVICES[service].preferredPort : undefined);
    state.ports[service] = port === undefined ? await pickPort(preferred) : await requirePort(port, INGEST_PORT);
  }
}

/** Starts what is not running and waits until all services are ready; returns the names of what it started. */
export async function startMissing(installation: Installation, state: NamespaceState): Promise<ProcessName[]> {
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

/** `kill -9`; resolves when the process has ended. */
export async function killService(layout: Layout, namespace: string, service: ServiceName): Promise<void> {
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

/** The variables of a service of this namespace. */
export function toEnvironment(
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
    folders: layout,
    extra: options.environment ?? {},
  });
}

export function toPort(state: NamespaceState, service: ServiceName): number {
  return must(state.ports[service], `port of ${service}`);
}
