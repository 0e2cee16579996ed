import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '@perennial/kernel';
import type { KafkaDetour, Part } from './part.js';
import { LOOPBACK } from './ports.js';
import { POSTGRES_NAME } from './postgres.js';
import type { ProcessRef } from './process-ref.js';
import { readStateFile, writeStateFile } from './state-file.js';

/** State of a stack, kept in `state/<name>.json` (mode 0600: it holds the passwords). */
export interface StackState {
  readonly version: 1;
  readonly name: string;
  readonly dataDir: string;
  /** Set when the stack ends with its owner. */
  readonly owner: ProcessRef | null;
  readonly passwords: { readonly postgres: string; readonly redis: string };
  readonly kafkaDetour?: KafkaDetour | undefined;
  ports: Partial<Record<Part | 'kafkaController', number>>;
  processes: Partial<Record<Part, ProcessRef>>;
  /** Folders outside of `dataDir` that are removed together with the data. */
  otherDirs: string[];
}

/** Addresses of the three parts. The URLs hold passwords: do not log them. */
export interface StackEndpoints {
  readonly kafkaBrokers: string;
  readonly redisUrl: string;
  readonly postgresUrl: string;
}

const PASSWORD_BYTES = 24;

/** A stack that has never run, with fresh passwords. */
export function createStackState({
  name,
  dataDir,
  owner,
  kafkaDetour,
}: Pick<StackState, 'name' | 'dataDir' | 'owner' | 'kafkaDetour'>): StackState {
  const createPassword = () => randomBytes(PASSWORD_BYTES).toString('hex');
  return {
    version: 1,
    name,
    dataDir,
    owner,
    kafkaDetour,
    passwords: { postgres: createPassword(), redis: createPassword() },
    ports: {},
    processes: {},
    otherDirs: [],
  };
}

/** The state file of a stack. */
export function toStackStatePath(stateDir: string, name: string): string {
  return join(stateDir, `${name}.json`);
}

/** Reads a stack's state; undefined when it was never started. Throws `config_invalid` for another version's. */
export function loadStackState(stateDir: string, name: string): StackState | undefined {
  const path = toStackStatePath(stateDir, name);
  const state = readStateFile<StackState>(path);
  if (state !== undefined && state.version !== 1) {
    throw new AppError(
      'config_invalid',
      `${path} is of version ${String(state.version)}; this program knows version 1`,
    );
  }
  return state;
}

export function saveStackState(stateDir: string, state: StackState): void {
  writeStateFile(toStackStatePath(stateDir, state.name), state);
}

/** The endpoints of a stack; undefined while it has no ports. */
export function toEndpoints({ ports, passwords }: StackState): StackEndpoints | undefined {
  if (ports.kafka === undefined || ports.redis === undefined || ports.postgres === undefined) return undefined;
  return {
    kafkaBrokers: `${LOOPBACK}:${ports.kafka}`,
    redisUrl: `redis://:${passwords.redis}@${LOOPBACK}:${ports.redis}`,
    postgresUrl: `postgres://${POSTGRES_NAME}:${passwords.postgres}@${LOOPBACK}:${ports.postgres}/${POSTGRES_NAME}`,
  };
}
