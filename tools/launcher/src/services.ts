import type { ServiceName, StatefulServiceName } from '@perennial/contracts';
import type { RebuildStage } from '@perennial/keyed-processor';
import type { RebuildArchive } from './rebuild-chain.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** A service that is to run in this process. */
interface App {
  start(): Promise<{ url: string }>;
  stop(): Promise<void>;
}

/** A service's part of a rebuild. */
export interface OpenRebuild {
  readonly stage: RebuildStage;
  /** Of feature-store, which owns it. */
  readonly archive?: RebuildArchive;
  close(): Promise<void>;
}

/** Composes each service from its variables. A service is loaded only when it is asked for: together they take seconds. */
export const APPS: Readonly<Record<ServiceName, (env: Variables) => Promise<App>>> = {
  async ingest(env) {
    const { createApp, loadConfig } = await import('@perennial/service-ingest');
    return createApp(loadConfig(env));
  },
  async 'feature-store'(env) {
    const { createApp, loadConfig } = await import('@perennial/service-feature-store');
    return createApp(loadConfig(env));
  },
  async scoring(env) {
    const { createApp, loadConfig } = await import('@perennial/service-scoring');
    return createApp(loadConfig(env));
  },
  async action(env) {
    const { createApp, loadConfig } = await import('@perennial/service-action');
    return createApp(loadConfig(env));
  },
};

/** Opens each stateful service's part of a rebuild. */
export const REBUILDS: Readonly<Record<StatefulServiceName, (env: Variables) => Promise<OpenRebuild>>> = {
  async 'feature-store'(env) {
    const { loadConfig, openRebuild } = await import('@perennial/service-feature-store');
    return openRebuild(loadConfig(env));
  },
  async scoring(env) {
    const { loadConfig, openRebuild } = await import('@perennial/service-scoring');
    return openRebuild(loadConfig(env));
  },
  async action(env) {
    const { loadConfig, openRebuild } = await import('@perennial/service-action');
    return openRebuild(loadConfig(env));
  },
};
