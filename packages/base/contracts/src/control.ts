import { encodeMessage, type MessageType } from './encode-message.js';
import type { Rollout, Tick } from './generated/perennial/v1/control.js';

/** A control record: time has reached `timeMs`, or an artifact is in force from here on. */
export type Control =
  | { readonly kind: 'tick'; readonly timeMs: number }
  | { readonly kind: 'rollout'; readonly rollout: Rollout };

/** How every internal topic carries control records: as cases of the `record` field of its message. */
type ControlCase = { $case: 'tick'; value: Tick } | { $case: 'rollout'; value: Rollout };

/** Wraps a control record in the message type of a topic. */
export function encodeControl(type: MessageType<{ record: ControlCase | undefined }>, control: Control): Buffer {
  const record: ControlCase =
    control.kind === 'tick'
      ? { $case: 'tick', value: { timeMs: control.timeMs } }
      : { $case: 'rollout', value: control.rollout };
  return encodeMessage(type, { record });
}

/** The control record in a message's `record`; undefined when `record` is something else. */
export function toControl(record: ControlCase | { readonly $case: string } | undefined): Control | undefined {
  if (isCase(record, 'tick')) return { kind: 'tick', timeMs: record.value.timeMs };
  if (isCase(record, 'rollout')) return { kind: 'rollout', rollout: record.value };
  return undefined;
}

function isCase<Name extends ControlCase['$case']>(
  record: { readonly $case: string } | undefined,
  name: Name,
): record is Extract<ControlCase, { $case: Name }> {
  return record?.$case === name;
}
