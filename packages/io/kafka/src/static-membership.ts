import type { PartitionAssigner } from 'kafkajs';
import { replaceKafkajsModule } from './kafkajs-internals.js';

/*
 * Static membership (KIP-345): a group member with a group instance id replaces the previous member of that id and gets
 * its partitions at once, without a rebalance. kafkajs can encode the field in its requests but never sets it. A join
 * reads the id from the group protocol, the only object that kafkajs passes through from a consumer's options; a
 * heartbeat looks the id up by the member id that the broker assigned.
 */

const REQUESTS = 'kafkajs/src/protocol/requests';

interface JoinPayload {
  readonly groupProtocols: ReadonlyArray<{ readonly groupInstanceId?: string }>;
  readonly groupInstanceId?: string | undefined;
}

interface HeartbeatPayload {
  readonly memberId: string;
  readonly groupInstanceId?: string | undefined;
}

type CreateRequest<Payload> = (payload: Payload) => unknown;

const instanceIds = new Map<string, string>();

/** Sets the group instance ids. */
export function installStaticMembership(): void {
  replaceKafkajsModule<CreateRequest<JoinPayload>>(`${REQUESTS}/joinGroup/v5/request.js`, (original) => (payload) => {
    const named = payload.groupProtocols.find(({ groupInstanceId }) => groupInstanceId !== undefined);
    return original({ ...payload, groupInstanceId: named?.groupInstanceId });
  });
  replaceKafkajsModule<CreateRequest<HeartbeatPayload>>(
    `${REQUESTS}/heartbeat/v3/request.js`,
    (original) => (payload) => original({ ...payload, groupInstanceId: instanceIds.get(payload.memberId) }),
  );
}

/** The same assigner for a member with this group instance id. */
export function withInstanceId(assigner: PartitionAssigner, groupInstanceId: string): PartitionAssigner {
  return (options) => {
    const anonymous = assigner(options);
    return { ...anonymous, protocol: (subscription) => ({ ...anonymous.protocol(subscription), groupInstanceId }) };
  };
}

/**
 * From now on this member's heartbeats carry its group instance id, so that it learns when another member takes it;
 * returns the function that ends this.
 */
export function nameHeartbeats(memberId: string, groupInstanceId: string): () => void {
  instanceIds.set(memberId, groupInstanceId);
  return () => void instanceIds.delete(memberId);
}
