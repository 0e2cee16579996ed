import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, must, toSha256 } from '@perennial/kernel';
import { closeFolder, closeInstallation, closeOwnFolder } from './closed-folders.js';
import { waitUntilReady } from './daemon.js';
import { createEphemeralHome, sweepEphemeralHomes } from './ephemeral.js';
import { kafkaDriver } from './kafka.js';
import { toLayout } from './layout.js';
import { withLock } from './lock.js';
import { type KafkaDetour, PARTS, type Part, type PartContext, type PartDriver } from './part.js';
import { pickPort, requirePort } from './ports.js';
import { postgresDriver } from './postgres.js';
import { endProcess, findMarkedProcesses, isRunning, readProcessRef } from './process-ref.js';
import { redisDriver } from './redis.js';
import { findClosedFolder, findServerUser } from './server-user.js';
import {
  createStackState,
  loadStackState,
  type StackEndpoints,
  type StackState,
  saveStackState,
  toEndpoints,
  toStackStatePath,
} from './stack-state.js';
import { removeStateFile } from './state-file.js';

const LOCK_WAIT_MS_MAX = 300_000;
const PROBE_DEADLINE_MS = 10_000;
const DRIVERS: Readonly<Record<Part, PartDriver>> = {
  kafka: kafkaDriver,
  postgres: postgresDriver,
  redis: redisDriver,
};

export interface StackOptions {
  /** The repository; detected when absent. */
  readonly root?: string | undefined;
  /** Folder of state, data and logs; default `<root>/.perennial`. */
  readonly home?: string | undefined;
  /** Default `stack`. */
  readonly name?: string | undefined;
  /** Default `<home>/data/<name>`. */
  readonly dataDir?: string | undefined;
  /** Fixed ports; for the others a preferred one is used or, where taken, any free one. */
  readonly ports?: Partial<Record<Part, number>> | undefined;
  /** For a proxy in front of the broker; fixed when the stack is created. */
  readonly kafkaDetour?: KafkaDetour | undefined;
  /** Own folder in the temporary directory, removed by `stop`; the next stack ends it if this process dies. */
  readonly ephemeral?: boolean | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
}

export interface Stack extends StackEndpoints {
  readonly name: string;
  readonly home: string;
  /** Parts that this call had to start; empty when all were running. */
  readonly started: readonly Part[];
  /** Ends the three processes; for an ephemeral stack also removes its data. */
  stop(options?: { removeData?: boolean }): Promise<void>;
}

/** Starts Kafka, PostgreSQL and Redis where they do not run yet and waits until each answers. Idempotent. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const ephemeral = options.ephemeral ?? false;
  if (ephemeral) await sweepEphemeralHomes((home) => stopStack({ home, removeData: true }));
  const layout = toLayout({ root: options.root, home: ephemeral ? createEphemeralHome() : options.home });
  const name = options.name ?? 'stack';
  const onProgress = options.onProgress ?? (() => undefined);
  const stop = (how: { removeData?: boolean } = {}) =>
    stopStack({ home: layout.home, name, removeData: ephemeral || how.removeData === true });
  const start = async (): Promise<Stack> => {
    closeInstallation(layout);
    const owner = ephemeral ? must(readProcessRef(process.pid), 'own process') : null;
    const dataDir = options.dataDir ?? join(layout.dataDir, name);
    const state =
      loadStackState(layout.stateDir, name) ??
      createStackState({ name, dataDir, owner, kafkaDetour: options.kafkaDetour });
    const stackRun = { ...layout, state, ephemeral, onProgress, givenPorts: options.ports ?? {} };
    saveStackState(layout.stateDir, state);
    const started = await startParts(stackRun);
    return { name, home: layout.home, started, ...must(toEndpoints(state), 'endpoints'), stop };
  };
  try {
    return await withLock(join(layout.stateDir, `${name}.lock`), start, { waitMsMax: LOCK_WAIT_MS_MAX });
  } catch (error) {
    if (ephemeral) await stop();
    throw error;
  }
}

/** The endpoints of a running stack; undefined when any of its processes does not run. */
export function attachStack(options: Pick<StackOptions, 'root' | 'home' | 'name'> = {}): StackEndpoints | undefined {
  const state = loadStackState(toLayout(options).stateDir, options.name ?? 'stack');
  if (state === undefined || !PARTS.every((part) => isPartRunning(state, part))) return undefined;
  return toEndpoints(state);
}

/** Status of each part; starts nothing. */
export async function describeStack(options: Pick<StackOptions, 'root' | 'home' | 'name'> = {}): Promise<PartStatus[]> {
  const layout = toLayout(options);
  const state = loadStackState(layout.stateDir, options.name ?? 'stack');
  return Promise.all(
    PARTS.map(async (part) => {
      const port = state?.ports[part];
      const running = state !== undefined && isPartRunning(state, part);
      const ready = running && port !== undefined && (await answers(part, { port, password: toPassword(state, part) }));
      return { part, port: port ?? null, pid: state?.processes[part]?.pid ?? null, running, ready };
    }),
  );
}

export interface PartStatus {
  readonly part: Part;
  readonly port: number | null;
  readonly pid: number | null;
  readonly running: boolean;
  readonly ready: boolean;
}

/** Ends the processes of a stack, and no others; with `removeData` its data, logs and passwords too. */
export async function stopStack(
  options: Pick<StackOptions, 'root' | 'home' | 'name'> & { removeData?: boolean } = {},
): Promise<void> {
  const layout = toLayout(options);
  const name = options.name ?? 'stack';
  const state = loadStackState(layout.stateDir, name);
  if (state === undefined) return;
  await withLock(
    join(layout.stateDir, `${name}.lock`),
    async () => {
      await Promise.all(
        PARTS.map((part) => endPart(state, part, { gently: state.owner === null || options.removeData !== true })),
      );
      state.processes = {};
      saveStackState(layout.stateDir, state);
    },
    { waitMsMax: LOCK_WAIT_MS_MAX },
  );
  if (options.removeData !== true) return;
  for (const folder of [state.dataDir, ...state.otherDirs])
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  removeStateFile(toStackStatePath(layout.stateDir, name));
  if (state.owner !== null) rmSync(layout.home, { recursive: true, force: true, maxRetries: 5 });
}

interface StackRun {
  readonly stateDir: string;
  readonly cacheDir: string;
  readonly state: StackState;
  readonly ephemeral: boolean;
  readonly givenPorts: Partial<Record<Part, number>>;
  readonly onProgress: (message: string) => void;
}

async function startParts(run: StackRun): Promise<Part[]> {
  const missing: Part[] = [];
  for (const part of PARTS) if (!(await isInService(run, part))) missing.push(part);
  // A taken port is reported before anything is fetched, and then none is remembered.
  const chosen = await Promise.all(missing.map((part) => choosePorts(run, part)));
  Object.assign(run.state.ports, ...chosen);
  saveStackState(run.stateDir, run.state);
  // Sequential: two Maven runs would write to one local repository at once.
  for (const part of missing) await DRIVERS[part].prepare(toContext(run, part));
  const results = await Promise.allSettled(missing.map((part) => startPart(run, part)));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure === undefined) return missing;
  await Promise.all(missing.map((part) => endPart(run.state, part, { gently: true })));
  throw failure.reason;
}

/** True when it runs and answers; one that runs without answering is ended. */
async function isInService(run: StackRun, part: Part): Promise<boolean> {
  const { state, givenPorts, stateDir } = run;
  const port = state.ports[part];
  const { label, option } = DRIVERS[part];
  const ref = state.processes[part];
  if (ref !== undefined && port !== undefined && isRunning(ref)) {
    if (givenPorts[part] !== undefined && givenPorts[part] !== port) {
      throw new AppError(
        'config_invalid',
        `${label} already runs on port ${port}: run \`./perennial down\` first, or leave out ${option}`,
      );
    }
    const probe = () => DRIVERS[part].probe({ port, password: toPassword(state, part) });
    await waitUntilReady(ref, {
      what: label,
      probe,
      logFile: toLogFile(state, part),
      deadlineMs: PROBE_DEADLINE_MS,
    });
    return true;
  }
  await endPart(state, part, { gently: true });
  delete state.processes[part];
  saveStackState(stateDir, state);
  return false;
}

async function choosePorts({ state, givenPorts, ephemeral }: StackRun, part: Part): Promise<StackState['ports']> {
  const { label, option, preferredPort } = DRIVERS[part];
  const given = givenPorts[part];
  const preferred = state.ports[part] ?? (ephemeral ? undefined : preferredPort);
  const port = given === undefined ? await pickPort(preferred) : await requirePort(given, { owner: label, option });
  if (part !== 'kafka') return { [part]: port };
  return { kafka: port, kafkaController: await pickPort(state.ports.kafkaController) };
}

async function startPart(run: StackRun, part: Part): Promise<void> {
  const driver = DRIVERS[part];
  const context = toContext(run, part);
  run.onProgress(`starting ${driver.label} on port ${context.port}`);
  const ref = await driver.start(context);
  run.state.processes[part] = ref;
  saveStackState(run.stateDir, run.state);
  const probe = () => driver.probe(context);
  await waitUntilReady(ref, {
    what: driver.label,
    probe,
    logFile: context.logFile,
    deadlineMs: driver.readyDeadlineMs,
  });
  run.onProgress(`${driver.label} answers`);
}

/** Ends the recorded process, and one that was started but not recorded because we were killed in between. */
async function endPart(state: StackState, part: Part, { gently }: { gently: boolean }): Promise<void> {
  const { stopSignal, stopDeadlineMs } = DRIVERS[part];
  const recorded = state.processes[part];
  const signal = gently ? stopSignal : part === 'postgres' ? 'SIGQUIT' : 'SIGKILL';
  if (recorded !== undefined) await endProcess(recorded, { signal, deadlineMs: stopDeadlineMs });
  for (const orphan of findMarkedProcesses(toMarker(state, part)))
    await endProcess(orphan, { signal, deadlineMs: stopDeadlineMs });
}

function toContext(run: StackRun, part: Part): PartContext {
  const { state, ephemeral, onProgress } = run;
  const { dataDir, cacheDir } = toPartFolders(run, part);
  return {
    cacheDir,
    dataDir,
    logFile: toLogFile(state, part),
    marker: toMarker(state, part),
    port: state.ports[part] ?? 0,
    controllerPort: state.ports.kafkaController ?? 0,
    kafkaDetour: state.kafkaDetour,
    password: toPassword(state, part),
    ephemeral,
    onProgress,
  };
}

/**
 * As root PostgreSQL runs as another user, who may not enter, for example, /root: its binaries and data are then in a
 * folder of /var/tmp named after the data folder.
 */
function toPartFolders({ state, cacheDir, stateDir }: StackRun, part: Part): { dataDir: string; cacheDir: string } {
  const dataDir = join(state.dataDir, part);
  const user = findServerUser();
  closeFolder(state.dataDir, { enter: user });
  if (part !== 'postgres' || user === undefined) return { dataDir, cacheDir };
  if ([dataDir, cacheDir].every((folder) => findClosedFolder(folder, user) === undefined)) return { dataDir, cacheDir };
  const other = join('/var/tmp', `perennial-${toSha256(state.dataDir).slice(0, 16)}`);
  if (!state.otherDirs.includes(other)) {
    state.otherDirs.push(other);
    saveStackState(stateDir, state);
  }
  closeOwnFolder(other, { enter: user });
  return { dataDir: join(other, 'data'), cacheDir: join(other, 'cache') };
}

function toLogFile(state: StackState, part: Part): string {
  return join(state.dataDir, `${part}.log`);
}

function toMarker(state: StackState, part: Part): string {
  return join(state.dataDir, part);
}

function toPassword(state: StackState, part: Part): string {
  return part === 'kafka' ? '' : state.passwords[part];
}

function isPartRunning(state: StackState, part: Part): boolean {
  const ref = state.processes[part];
  return ref !== undefined && isRunning(ref) && existsSync(state.dataDir);
}

/** Probes a part with Kafka, PostgreSQL or Redis, wherever it runs; throws while the answer is missing or wrong. */
export async function probePart(part: Part, context: { port: number; password: string }): Promise<void> {
  await DRIVERS[part].probe(context);
}

async function answers(part: Part, context: { port: number; password: string }): Promise<boolean> {
  try {
    await probePart(part, context);
    return true;
  } catch {
    // The reason does not matter: it is not ready.
    return false;
  }
}
