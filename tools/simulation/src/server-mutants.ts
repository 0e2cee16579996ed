import { decodeOutbox } from '@perennial/keyed-processor/internals';
import { type Mutant, memoryOf, toPort, uncounted, withFence } from './mutant.js';
import type { RuleName } from './rules.js';
import type { ToyInput } from './toy.js';

type ServerRule = Extract<
  RuleName,
  | 'publish-before-commit'
  | 'owner-not-checked'
  | 'offset-not-checked'
  | 'reads-not-fenced'
  | 'parts-of-a-tick-not-counted'
  | 'duplicates-remembered-outside-commit'
>;

/** Mutants of the fences at the server of a store, and those that need a simulated process or processor. */
export const SERVER_MUTANTS: Readonly<Record<ServerRule, Mutant>> = {
  'publish-before-commit': {
    inStore: (store, { producer, onBroken }) => ({
      ...store,
      async commit(fence, request) {
        if (request.outbox !== undefined) {
          onBroken();
          await producer().send(decodeOutbox(request.outbox.bytes));
        }
        await store.commit(fence, request);
      },
    }),
  },
  'owner-not-checked': {
    atServer: (server, onBroken) => ({
      ...toPort(server),
      ...withFence(server, (fence) => ({ ...fence, owner: server.owner }), onBroken),
    }),
  },
  'offset-not-checked': {
    atServer: (server, onBroken) => ({
      ...toPort(server),
      ...withFence(server, (fence) => ({ ...fence, ...server.position }), onBroken),
    }),
  },
  'reads-not-fenced': {
    atServer: (server, onBroken) => {
      const { load } = withFence(server, () => ({ owner: server.owner, ...server.position }), onBroken);
      return { ...toPort(server), load };
    },
  },
  'parts-of-a-tick-not-counted': {
    atServer: (server, onBroken) => uncounted(server, (restoring) => !restoring, onBroken),
  },
  'duplicates-remembered-outside-commit': {
    only: 'sums',
    inDefinition(definition, { world, onBroken }) {
      const remembered = memoryOf(world, definition.name);
      return {
        ...definition,
        step(item, evidence) {
          if (item.cause.kind === 'timer') return definition.step(item, evidence);
          const id = `${item.context.key} ${(item.cause.input as ToyInput).id}`;
          if (remembered.has(id)) {
            onBroken();
            return { state: item.state, outputs: [] };
          }
          remembered.set(id, true);
          return definition.step(item, evidence);
        },
      };
    },
  },
};
