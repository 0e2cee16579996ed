import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ArtifactKind, ServiceName } from '@perennial/contracts';
import { type ProcessRef, readStateFile, removeStateFile, writeStateFile } from '@perennial/native-stack';
import type { ClockMode } from './environment.js';

/** Answer of a service's command `register`: an artifact with its number. */
export interface RegisteredArtifact {
  readonly kind: ArtifactKind;
  readonly number: number;
  readonly hash: string;
}

interface RunningProcess {
  readonly process: ProcessRef;
  readonly environmentHash: string;
}

/** State of a namespace, kept in `state/namespaces/<namespace>.json`. */
export interface NamespaceState {
  readonly version: 1;
  readonly namespace: string;
  readonly clockMode: ClockMode;
  readonly partitions: number;
  /** The installation's own token for the services of this namespace, with every scope. */
  token: string;
  /**
   * Fingerprint of the sources that topics, tables and artifacts were last provisioned from, empty while some of them are
   * not in force yet; null before the first time.
   */
  provisioned: { readonly fingerprint: string; readonly inForce: readonly RegisteredArtifact[] } | null;
  /** Chosen sources of what is in force, by kind; the default where there is none. */
  artifactPaths: Readonly<Partial<Record<ArtifactKind, string>>>;
  oneProcess: boolean;
  ports: Partial<Record<ServiceName, number>>;
  /** By service, or `one-process` where all share one. */
  processes: Partial<Record<ProcessName, RunningProcess>>;
}

export type ProcessName = ServiceName | 'one-process';

export function loadNamespaceState(stateDir: string, namespace: string): NamespaceState | undefined {
  return readStateFile<NamespaceState>(toPath(stateDir, namespace));
}

export function saveNamespaceState(stateDir: string, state: NamespaceState): void {
  writeStateFile(toPath(stateDir, state.namespace), state);
}

export function removeNamespaceState(stateDir: string, namespace: string): void {
  removeStateFile(toPath(stateDir, namespace));
}

/** Every namespace that was ever created here and not removed, `live` first. */
export function listNamespaces(stateDir: string): string[] {
  return readFolder(join(stateDir, 'namespaces'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort((a, b) => Number(b === 'live') - Number(a === 'live') || a.localeCompare(b));
}

function toPath(stateDir: string, namespace: string): string {
  return join(stateDir, 'namespaces', `${namespace}.json`);
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
