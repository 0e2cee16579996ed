import { withLimit } from '@perennial/kernel';
import { toKafkaError } from './kafkajs-client.js';

/** The part of a kafkajs admin client that a session manages. */
interface Disconnectable {
  disconnect(): Promise<void>;
}

/** One admin connection for all requests, opened at the first request and reopened after a failure. */
export interface AdminSession<Admin> {
  /** Throws AppError `dependency_unavailable` (retriable) when there is no answer within the limit. */
  ask<T>(what: string, question: (admin: Admin) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Each request has its own timeout: kafkajs never settles a request whose connection is closed meanwhile, and a
 * partition that waits for the answer would stall for ever.
 */
export function createAdminSession<Admin extends Disconnectable>(
  open: () => Promise<Admin>,
  limits: { readonly answerMs: number },
): AdminSession<Admin> {
  let admin: Promise<Admin> | undefined;

  function discard(failed: Promise<Admin>): void {
    if (admin === failed) admin = undefined;
    failed.then((opened) => opened.disconnect()).catch(() => undefined);
  }

  return {
    async ask(what, question) {
      admin ??= open();
      const asked = admin;
      try {
        const message = `${what}: no answer within ${limits.answerMs} ms`;
        return await withLimit({ ms: limits.answerMs, message, code: 'dependency_unavailable' }, () =>
          asked.then(question),
        );
      } catch (error) {
        discard(asked);
        throw toKafkaError(what, error);
      }
    },
    async close() {
      const opened = admin;
      admin = undefined;
      await opened?.then(
        (connected) => connected.disconnect(),
        () => undefined,
      );
    },
  };
}
