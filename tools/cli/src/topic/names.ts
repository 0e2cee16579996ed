import { parseTopic, TOPICS, type TopicName, toTopic } from '@perennial/contracts';

/** A topic name of the command line, resolved: a declared topic, or (`topic` undefined) any other. */
export interface NamedTopic {
  readonly name: string;
  readonly topic: TopicName | undefined;
}

/** Short names of the declared topics, such as `action.decided`. */
export const SHORT_NAMES: readonly string[] = (Object.keys(TOPICS) as TopicName[]).map(toShortName);

/** Accepts `action.decided`, `lifecycle.action.decided.v1`, `actionDecided`, a name with another namespace's prefix, or any topic's name. */
export function resolveTopic(text: string, namespace: string): NamedTopic {
  for (const topic of Object.keys(TOPICS) as TopicName[]) {
    if ([toShortName(topic), TOPICS[topic].baseName, topic].includes(text))
      return { name: toTopic(namespace, topic), topic };
  }
  return { name: text, topic: parseTopic(text)?.topic };
}

function toShortName(topic: TopicName): string {
  return TOPICS[topic].baseName.replace(/^lifecycle\./, '').replace(/\.v\d+$/, '');
}
