import { must, type ReleaseStack } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { type KafkaDetour, LOOPBACK, pickPort } from '@perennial/native-stack';
import { FaultyLink } from './proxy.js';
import type { World } from './world.js';

/** The broker advertises its address to its clients, so the link has to exist before the broker starts. */
export async function openKafkaLink(releases: ReleaseStack): Promise<{ link: FaultyLink; detour: KafkaDetour }> {
  const port = await pickPort(undefined);
  const link = await openLink({ host: LOOPBACK, port }, releases);
  return { link, detour: { port, advertisedPort: link.port } };
}

export async function openLinks(
  platform: Platform,
  kafka: FaultyLink,
  releases: ReleaseStack,
): Promise<World['links']> {
  const open = (url: string) => {
    const { hostname: host, port } = new URL(url);
    return openLink({ host, port: Number(port) }, releases);
  };
  return {
    kafka,
    redis: await open(platform.endpoints.redisUrl),
    postgres: await open(platform.endpoints.postgresUrl),
  };
}

function openLink(target: { host: string; port: number }, releases: ReleaseStack): Promise<FaultyLink> {
  return releases.acquire(
    `link to port ${target.port}`,
    () => FaultyLink.listen(target),
    (link) => link.close(),
  );
}

/** The environment of a service that connects to everything through the links. */
export function throughLinks(
  environment: Readonly<Record<string, string>>,
  links: World['links'],
): Readonly<Record<string, string>> {
  const through = (name: string, { port }: FaultyLink) => {
    const url = new URL(must(environment[name], name));
    url.port = String(port);
    return url.toString();
  };
  return {
    ...environment,
    KAFKA_BROKERS: `${LOOPBACK}:${links.kafka.port}`,
    REDIS_URL: through('REDIS_URL', links.redis),
    POSTGRES_URL: through('POSTGRES_URL', links.postgres),
  };
}
