import type { ProcessorConfig } from '@perennial/config';
import { type TopicName, toConsumerGroup, toTopic } from '@perennial/contracts';
import { type ProjectionOptions, startProjection } from '@perennial/projection';
import type { ServiceContext } from './compose-processor-service.js';

type Projection = Awaited<ReturnType<typeof startProjection>>;

/** Starts a projection of a topic of the namespace, by a consumer group of its own. */
type OpenProjection = (
  name: string,
  group: string,
  topic: TopicName,
  insert: ProjectionOptions['insert'],
) => Promise<Projection>;

/** Projections of a service into its schema, which stop with it. */
export function openProjections<Config extends ProcessorConfig>(
  { namespace, opener, log, pool, logger, metrics }: ServiceContext<Config>,
  schema: string,
): OpenProjection {
  return (name, group, topic, insert) =>
    opener.releases.acquire(
      name,
      () =>
        startProjection({
          log,
          pool,
          schema,
          groupId: toConsumerGroup(namespace, group),
          topic: toTopic(namespace, topic),
          insert,
          logger,
          metrics,
        }),
      (running) => running.stop(),
    );
}
