import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceName } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import {
  endProcess,
  findMarkedProcesses,
  type Layout,
  LOOPBACK,
  type ProcessRef,
  runCommand,
  startDaemon,
  waitUntilReady,
} from '@perennial/native-stack';
import type { ProcessName } from './namespace-state.js';

const READY_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 20_000;
const COMMAND_TIMEOUT_MS = 120_000;
const PROBE_TIMEOUT_MS = 5_000;

/** The script of a service. Throws `not_found` when it is not built. */
export function findServiceScript(root: string, service: ServiceName): string {
  const script = join(root, 'services', service, 'dist', 'main.js');
  if (!existsSync(script))
    throw new AppError('not_found', `${script} is not there: build first (\`./perennial\` does it, or \`pnpm build\`)`);
  return script;
}

/** Runs a one-shot command of a service and returns its stdout. */
export function runServiceCommand(
  root: string,
  service: ServiceName,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  return runCommand(process.execPath, [findServiceScript(root, service), ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    timeoutMs: COMMAND_TIMEOUT_MS,
  });
}

/** Runs several of its commands in one process, one after another until one fails; returns what they print. */
export function runServiceCommands(
  root: string,
  service: ServiceName,
  calls: ReadonlyArray<readonly string[]>,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  return runServiceCommand(root, service, ['each', JSON.stringify(calls)], environment);
}

/** Starts a service (or the script that runs all of them) as a process that outlives this one. */
export function startServiceProcess(
  layout: Layout,
  {
    namespace,
    name,
    script,
    environment,
  }: { namespace: string; name: ProcessName; script: string; environment: Readonly<Record<string, string>> },
): Promise<ProcessRef> {
  const logFile = toLogFile(layout, namespace, name);
  return startDaemon({
    command: process.execPath,
    args: [script],
    cwd: layout.root,
    // The service keeps its log small itself: nobody else runs as long as it does.
    env: { ...process.env, LOG_FILE: logFile, ...environment },
    marker: toMarker(layout, namespace, name),
    logFile,
  });
}

/** Waits for `/health/ready`. Throws with the service's reasons and the end of its log. */
export function waitForService(layout: Layout, { namespace, name, ref, port, what }: ServiceWait): Promise<void> {
  return waitUntilReady(ref, {
    what,
    probe: () => requireReady(port),
    logFile: toLogFile(layout, namespace, name),
    deadlineMs: READY_DEADLINE_MS,
  });
}

interface ServiceWait {
  readonly namespace: string;
  readonly name: ProcessName;
  readonly ref: ProcessRef;
  readonly port: number;
  readonly what: string;
}

/** Ends the process recorded under a name, and any that was started under it without being recorded. */
export async function endServiceProcess(
  layout: Layout,
  { namespace, name, recorded }: { namespace: string; name: ProcessName; recorded: ProcessRef | undefined },
): Promise<void> {
  const how = { signal: 'SIGTERM', deadlineMs: STOP_DEADLINE_MS } as const;
  if (recorded !== undefined) await endProcess(recorded, how);
  for (const orphan of findMarkedProcesses(toMarker(layout, namespace, name))) await endProcess(orphan, how);
}

/** A service's own answer; it may be an older one, without notes. */
interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
}

/** Whether a service is ready, and if not, why. */
export async function readReadiness(port: number): Promise<Readiness> {
  try {
    const response = await fetchReadiness(port);
    const text = await response.text();
    return {
      ready: response.ok,
      reasons: response.ok ? [] : [`not ready: ${text}`],
      notes: [],
      ...parseReadiness(text),
    };
  } catch (error) {
    return { ready: false, reasons: [(error as Error).message], notes: [] };
  }
}

export function toServiceUrl(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}

/** The log of a service. */
export function toLogFile(layout: Layout, namespace: string, name: ProcessName): string {
  return join(layout.logDir, namespace, `${name}.log`);
}

async function requireReady(port: number): Promise<void> {
  const { ready, reasons } = await readReadiness(port);
  if (!ready) throw new Error(reasons.join('; '));
}

/** Undefined for an answer of another form, such as that of a proxy or of another program on the port. */
function parseReadiness(text: string): Partial<Readiness> | undefined {
  try {
    const { reasons, notes = [] } = JSON.parse(text) as Partial<Readiness>;
    return Array.isArray(reasons) && Array.isArray(notes) ? { reasons, notes } : undefined;
  } catch {
    return undefined;
  }
}

function fetchReadiness(port: number): Promise<Response> {
  return fetch(`${toServiceUrl(port)}/health/ready`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(
    (cause: unknown) => {
      throw new Error('it does not listen yet', { cause });
    },
  );
}

function toMarker(layout: Layout, namespace: string, name: ProcessName): string {
  return join(layout.home, namespace, name);
}
