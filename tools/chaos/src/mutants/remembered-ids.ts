import { AcceptedRecord } from '@perennial/contracts';
import type { ProcessorDefinition } from '@perennial/keyed-processor';
import type { OnBroken } from '@perennial/simulation';

const PROCESSOR = 'feature-store';

/** The feature-store with its seen ids in process memory, where a lost commit does not roll them back. */
export function withRememberedIds<State, Input, Evidence>(
  definition: ProcessorDefinition<State, Input, Evidence>,
  onBroken: OnBroken,
): ProcessorDefinition<State, Input, Evidence> {
  if (definition.name !== PROCESSOR) return definition;
  const idOf = new WeakMap<object, string>();
  const remembered = new Set<string>();
  return {
    ...definition,
    decode(record) {
      const decoded = definition.decode(record);
      const { record: accepted } = AcceptedRecord.decode(record.value ?? Buffer.alloc(0));
      if (decoded.kind === 'record' && isObject(decoded.input) && accepted?.$case === 'event')
        idOf.set(decoded.input, `${decoded.key} ${accepted.value.messageId}`);
      return decoded;
    },
    step(item, evidence) {
      const { cause } = item;
      const id = cause.kind === 'record' && isObject(cause.input) ? idOf.get(cause.input) : undefined;
      if (id === undefined) return definition.step(item, evidence);
      if (remembered.has(id)) {
        onBroken();
        return { state: item.state, outputs: [] };
      }
      remembered.add(id);
      return definition.step(item, evidence);
    },
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
