import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceName } from '@perennial/contracts';
import { AppError, systemClock } from '@perennial/kernel';
import {
  endProcess,
  findMarkedProcesses,
  isRunning,
  LOOPBACK,
  type ProcessRef,
  pickPort,
  runCommand,
  sendSignal,
  startDaemon,
} from '@perennial/native-stack';
import type { CrashPoint } from './crash-points.js';
import { type Happening, toHarnessEnvironment } from './harness/settings.js';
import type { MutantName } from './mutants.js';
import type { Release } from './releases.js';

/** One instance of a service: a process that is restarted whenever it ends without being stopped. */
export interface Instance {
  readonly service: ServiceName;
  readonly index: number;
  readonly port: number;
  readonly url: string;
  /** Undefined for the present one. */
  release: Release | undefined;
  process: ProcessRef | undefined;
  /** False while a fault keeps the process stopped. */
  wanted: boolean;
  /** Killed by a fault, and not restarted yet. */
  killed: boolean;
}

export interface FleetOptions {
  readonly root: string;
  readonly logDir: string;
  /** Prefix of the marker of every process, so that the next run finds processes of a killed run. */
  readonly marker: string;
  environmentOf(service: ServiceName): Readonly<Record<string, string>>;
  /** The rule that every instance breaks. */
  readonly mutant?: MutantName | undefined;
  /** The releases of services that are not to begin as the present one. */
  readonly releases?: Releases | undefined;
}

export type Releases = ReadonlyMap<ServiceName, Release>;

/** Node options that preload the settable clock and the harness for crash points, mutants and other releases. */
const NODE_OPTIONS = [
  `--require ${JSON.stringify(fileURLToPath(new URL('../preload/clock-jump.cjs', import.meta.url)))}`,
  // The built file, also when running from the sources: a process loads it by itself.
  `--import ${JSON.stringify(new URL('../dist/harness/install.js', import.meta.url).href)}`,
].join(' ');

const HAPPENED_SUFFIX = '.happened';
const SUPERVISE_INTERVAL_MS = 200;
const STOP_DEADLINE_MS = 20_000;
const READY_WAIT_MS_MAX = 120_000;
const PROBE_TIMEOUT_MS = 2_000;
const COMMAND_TIMEOUT_MS = 120_000;

/** The instances of all services, with a supervisor that works like compose's `restart: always`. */
export class Fleet {
  readonly instances: Instance[] = [];
  /** Unrequested ends of processes: a service that failed by itself. */
  unasked = 0;
  /** Peak resident memory of each service's largest instance; empty where there is no /proc. */
  readonly peakMemoryBytes = new Map<ServiceName, number>();
  readonly #options: FleetOptions;
  readonly #stopped = new AbortController();
  #supervising: Promise<void> | undefined;
  #nextIndex = 0;
  /** The release of new instances, where it is not the present one. */
  readonly #releases: Map<ServiceName, Release>;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#releases = new Map(options.releases);
  }

  /** Of services that have become another release. */
  get releases(): Releases {
    return this.#releases;
  }

  get logDir(): string {
    return this.#options.logDir;
  }

  of(service: ServiceName): Instance[] {
    return this.instances.filter((instance) => instance.service === service);
  }

  /** Starts one more instance; does not wait until it is ready. */
  async add(service: ServiceName): Promise<Instance> {
    const port = await pickPort(undefined);
    const index = this.#nextIndex++;
    const url = `http://${LOOPBACK}:${port}`;
    const release = this.#releases.get(service);
    const instance: Instance = { service, index, port, url, release, process: undefined, wanted: true, killed: false };
    for (const orphan of findMarkedProcesses(this.#toMarker(instance)))
      await endProcess(orphan, { signal: 'SIGKILL', deadlineMs: STOP_DEADLINE_MS });
    rmSync(this.#toHappenedFile(instance), { force: true });
    this.instances.push(instance);
    await this.#start(instance);
    this.#supervising ??= this.#supervise();
    return instance;
  }

  /** Drains an instance and removes it. */
  async remove(instance: Instance): Promise<void> {
    instance.wanted = false;
    await this.#end(instance);
    this.instances.splice(this.instances.indexOf(instance), 1);
  }

  /** `kill -9`; the supervisor restarts the process unless `wanted` is false. */
  kill(instance: Instance): void {
    if (instance.process !== undefined) instance.killed = sendSignal(instance.process, 'SIGKILL');
  }

  /**
   * Makes it end itself with SIGKILL when it next reaches this point of its code; returns a function that reports
   * whether it has.
   */
  killAt(instance: Instance, point: CrashPoint): () => boolean {
    const file = this.#toCrashPointFile(instance);
    mkdirSync(this.#options.logDir, { recursive: true });
    writeFileSync(file, point);
    instance.killed = true;
    return () => !existsSync(file);
  }

  /**
   * Sends SIGTERM, waits for the drain, restarts. Returns the duration of the drain and whether the process had to be
   * killed.
   */
  async restart(instance: Instance): Promise<{ drainMs: number; killed: boolean }> {
    instance.wanted = false;
    const startedMs = systemClock.now();
    const killed = (await this.#end(instance)) === 'killed';
    const drainMs = systemClock.now() - startedMs;
    instance.wanted = true;
    await this.#start(instance);
    return { drainMs, killed };
  }

  /** True when any process of this instance has reported it. */
  hasHappened(instance: Instance, happening: Happening): boolean {
    const file = this.#toHappenedFile(instance);
    return existsSync(file) && hasLine(file, happening);
  }

  /** Instances that have reported it, removed ones included. */
  countHappened(happening: Happening): number {
    const { logDir } = this.#options;
    const files = readdirSync(logDir).filter((name) => name.endsWith(HAPPENED_SUFFIX));
    return files.filter((name) => hasLine(join(logDir, name), happening)).length;
  }

  /** Restarts it as another release. Instances that are added later start as that release too. */
  async restartAs(instance: Instance, release: Release): Promise<void> {
    instance.release = release;
    this.#releases.set(instance.service, release);
    await this.restart(instance);
  }

  /** Runs a one-shot command of a service, as the release that its instances are, and returns its stdout. */
  runCommand(service: ServiceName, args: readonly string[]): Promise<string> {
    const { root, logDir, environmentOf } = this.#options;
    const harness = toHarnessEnvironment({
      crashPointFile: join(logDir, 'command.crash-point'),
      happenedFile: join(logDir, `command${HAPPENED_SUFFIX}`),
      mutant: undefined,
      release: this.#releases.get(service),
    });
    return runCommand(process.execPath, [this.#toScript(service), ...args], {
      cwd: root,
      env: { ...process.env, ...environmentOf(service), ...harness, NODE_OPTIONS },
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
  }

  /** Suspends a process, which does not notice. */
  pause(instance: Instance): void {
    if (instance.process !== undefined) sendSignal(instance.process, 'SIGSTOP');
  }

  resume(instance: Instance): void {
    if (instance.process !== undefined) sendSignal(instance.process, 'SIGCONT');
  }

  /** Sets its wall clock: a day ahead, a day back, correct again, in rotation. */
  jumpClock(instance: Instance): void {
    if (instance.process !== undefined) sendSignal(instance.process, 'SIGUSR2');
  }

  /** Why the service at this address is not ready; empty when it is. */
  readReadiness(url: string): Promise<string> {
    return readReadiness(url);
  }

  async waitUntilReady(): Promise<void> {
    await Promise.all(this.instances.map((instance) => this.#waitUntilReady(instance)));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#supervising;
    await Promise.all(this.instances.map((instance) => this.#end(instance)));
    this.instances.length = 0;
  }

  async #supervise(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      for (const instance of this.instances) {
        this.#observeMemory(instance);
        if (!instance.wanted || instance.process === undefined || isRunning(instance.process)) continue;
        if (!instance.killed) this.unasked++;
        instance.killed = false;
        await this.#start(instance);
      }
      await systemClock.wait(SUPERVISE_INTERVAL_MS, this.#stopped.signal);
    }
  }

  #observeMemory({ service, process: ref }: Instance): void {
    const peak = ref === undefined ? 0 : readPeakMemoryBytes(ref.pid);
    if (peak > (this.peakMemoryBytes.get(service) ?? 0)) this.peakMemoryBytes.set(service, peak);
  }

  async #start(instance: Instance): Promise<void> {
    const { root, environmentOf, mutant } = this.#options;
    const { service, index, port, release } = instance;
    instance.process = await startDaemon({
      command: process.execPath,
      args: [this.#toScript(service)],
      cwd: root,
      env: {
        ...process.env,
        ...environmentOf(service),
        ...toHarnessEnvironment({
          crashPointFile: this.#toCrashPointFile(instance),
          happenedFile: this.#toHappenedFile(instance),
          mutant,
          release,
        }),
        PORT: String(port),
        NODE_OPTIONS,
        INSTANCE_ID: `${service}-${index}`,
      },
      marker: this.#toMarker(instance),
      logFile: this.#toLogFile(instance),
    });
  }

  async #end(instance: Instance): Promise<'was gone' | 'ended' | 'killed'> {
    const { process: ref } = instance;
    if (ref === undefined) return 'was gone';
    // A suspended process would not handle the signal.
    sendSignal(ref, 'SIGCONT');
    const how = await endProcess(ref, { signal: 'SIGTERM', deadlineMs: STOP_DEADLINE_MS });
    instance.process = undefined;
    return how;
  }

  async #waitUntilReady(instance: Instance): Promise<void> {
    const deadline = systemClock.now() + READY_WAIT_MS_MAX;
    let last = '';
    while (systemClock.now() < deadline) {
      last = await readReadiness(instance.url);
      if (last === '') return;
      await systemClock.wait(SUPERVISE_INTERVAL_MS);
    }
    throw new AppError(
      'timeout',
      `${instance.service}-${instance.index} was not ready within ${READY_WAIT_MS_MAX / 1000} s: ${last}; log: ${this.#toLogFile(instance)}`,
    );
  }

  #toScript(service: ServiceName): string {
    return join(this.#options.root, 'services', service, 'dist', 'main.js');
  }

  #toMarker({ service, index }: Instance): string {
    return `${this.#options.marker}/${service}-${index}`;
  }

  #toCrashPointFile({ service, index }: Instance): string {
    return join(this.#options.logDir, `${service}-${index}.crash-point`);
  }

  #toHappenedFile({ service, index }: Instance): string {
    return join(this.#options.logDir, `${service}-${index}${HAPPENED_SUFFIX}`);
  }

  #toLogFile({ service, index }: Instance): string {
    return join(this.#options.logDir, `${service}-${index}.log`);
  }
}

function hasLine(file: string, line: string): boolean {
  return readFileSync(file, 'utf8').split('\n').includes(line);
}

/** Peak resident memory as the kernel records it; 0 for a process that has ended. */
function readPeakMemoryBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Why the service is not ready; empty when it is. */
async function readReadiness(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return response.ok ? '' : await response.text();
  } catch (error) {
    return (error as Error).message;
  }
}
