import type { TopicName } from '@perennial/contracts';

/** The services of a namespace, in the order in which data flows. */
export const SERVICE_NAMES = ['ingest', 'feature-store', 'scoring', 'action'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Ports that the live namespace's services get where they are free; those of others are any free ones. */
export const PREFERRED_PORTS: Readonly<Record<ServiceName, number>> = {
  ingest: 18_080,
  'feature-store': 18_081,
  scoring: 18_082,
  action: 18_083,
};

/** Services with tables of their own, brought up to date by their one-shot command `migrate`. */
export const MIGRATING_SERVICES = ['ingest', 'scoring', 'action'] as const satisfies readonly ServiceName[];

/** What is registered and put in force: which service keeps it, and the file or folder that holds the default. */
export const CONFIGS = {
  lifecycle: { service: 'scoring', path: 'infra/defaults/lifecycle.yaml' },
  model: { service: 'scoring', path: 'trainer/models/default' },
  policy: { service: 'action', path: 'infra/defaults/policy.yaml' },
} as const satisfies Record<string, { service: ServiceName; path: string }>;
export type ConfigKind = keyof typeof CONFIGS;
export const CONFIG_KINDS = Object.keys(CONFIGS) as ConfigKind[];

/** Consumer groups whose lag tells how far a namespace has come. */
export const GROUPS: readonly { readonly processor: string; readonly topic: TopicName }[] = [
  { processor: 'ingest-received', topic: 'eventReceived' },
  { processor: 'feature-store', topic: 'eventAccepted' },
  { processor: 'scoring', topic: 'featureUpdated' },
  { processor: 'action', topic: 'scoreComputed' },
];
