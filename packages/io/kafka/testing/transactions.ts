import { createRandomToken } from '@perennial/kernel';
import { Kafka, logLevel, type Message } from 'kafkajs';

export interface OpenTransaction {
  commit(): Promise<void>;
  abort(): Promise<void>;
  /** The producer disappears: the transaction stays open until the broker aborts it. */
  leave(): Promise<void>;
}

/** Writes records in a transaction and leaves it open. The broker aborts it after `timeoutMs`. */
export async function beginTransaction(
  { brokers, timeoutMs = 60_000 }: { readonly brokers: readonly string[]; readonly timeoutMs?: number },
  topic: string,
  messages: readonly Message[],
): Promise<OpenTransaction> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'transactions', logLevel: logLevel.NOTHING });
  const producer = kafka.producer({
    transactionalId: `t-${createRandomToken()}`,
    transactionTimeout: timeoutMs,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [...messages] });
  const end = async (act: () => Promise<void>) => {
    await act();
    await producer.disconnect();
  };
  return {
    commit: () => end(() => transaction.commit()),
    abort: () => end(() => transaction.abort()),
    leave: () => producer.disconnect(),
  };
}
