import { AppError } from '@perennial/kernel';

/** The namespace of live data; its topics carry no prefix. */
export const LIVE_NAMESPACE = 'live';

const NAMESPACE_PATTERN = /^[a-z][a-z0-9-]{0,30}$/;

/** Checks a namespace's name: lower-case letter first, then letters, digits, dashes, 31 at most. Throws `config_invalid`. */
export function parseNamespace(name: string): string {
  if (!NAMESPACE_PATTERN.test(name)) {
    throw new AppError('config_invalid', `namespace ${JSON.stringify(name)} must match ${NAMESPACE_PATTERN}`);
  }
  return name;
}

/** The PostgreSQL schema that a service owns in a namespace, such as `live_ingest`. */
export function toPostgresSchema(namespace: string, service: string): string {
  return `${namespace}_${service}`.replaceAll('-', '_');
}

/** The consumer group of a processor (or sink) in a namespace. */
export function toConsumerGroup(namespace: string, processor: string): string {
  return `perennial.${namespace}.${processor}`;
}
