import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { STATEFUL_SERVICE_NAMES } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import { isRunning } from '@perennial/native-stack';
import { loadNamespaceState } from './namespace-state.js';
import type { Platform } from './platform.js';
import type { RebuildSummary } from './rebuild-chain.js';
import { REBUILD_VARIABLE, type RebuildMessage, type RebuildOrder } from './rebuild-order.js';

/** Characters of the process's error output that are kept. */
const ERROR_CHARS_MAX = 4_000;

/** Rebuilds every state of a namespace from its archive. Throws `contract_violation` while a service of it runs. */
export function rebuildNamespace(
  platform: Platform,
  options: { readonly force: boolean; readonly onProgress: (message: string) => void },
): Promise<RebuildSummary> {
  const { namespace, layout } = platform;
  const running = Object.entries(loadNamespaceState(layout.stateDir, namespace)?.processes ?? {})
    .filter(([, process]) => process !== undefined && isRunning(process.process))
    .map(([name]) => name);
  if (running.length > 0) {
    throw new AppError(
      'contract_violation',
      `still running in namespace ${namespace}: ${running.join(', ')}; end that first with \`./perennial down --namespace ${namespace}\``,
    );
  }
  const environments = Object.fromEntries(
    STATEFUL_SERVICE_NAMES.map((service) => [service, platform.environmentOf(service)]),
  ) as unknown as RebuildOrder['environments'];
  return runRebuild({ namespace, force: options.force, environments }, { root: layout.root, ...options });
}

/**
 * Runs the rebuild in a child process, which loads the services' code. Throws `dependency_unavailable` with its error.
 */
async function runRebuild(
  order: RebuildOrder,
  { root, onProgress }: { readonly root: string; readonly onProgress: (message: string) => void },
): Promise<RebuildSummary> {
  const script = join(root, 'tools', 'launcher', 'dist', 'rebuild-process.js');
  const child = spawn(process.execPath, [script], {
    cwd: root,
    env: { ...process.env, [REBUILD_VARIABLE]: JSON.stringify(order) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-ERROR_CHARS_MAX);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let summary: RebuildSummary | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line) as RebuildMessage;
    if ('progress' in message) onProgress(message.progress);
    else summary = message.summary;
  }
  await ended;
  if (summary === undefined) throw new AppError('dependency_unavailable', complaint.trim() || 'the rebuild was ended');
  return summary;
}
