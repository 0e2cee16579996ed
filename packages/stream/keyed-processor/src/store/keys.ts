/** The Redis keys of one partition of one processor: one hash tag, hence one slot. */
export interface PartitionKeys {
  readonly meta: string;
  readonly states: string;
  readonly timers: string;
  readonly outbox: string;
}

/** Key names; readers that serve states (never write) use them too. */
export function toPartitionKeys(namespace: string, processor: string, partition: number): PartitionKeys {
  const tag = `{${namespace}:${processor}:${partition}}`;
  return { meta: `${tag}:meta`, states: `${tag}:states`, timers: `${tag}:timers`, outbox: `${tag}:outbox` };
}
