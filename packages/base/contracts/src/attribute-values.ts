import type { Attribute } from './generated/perennial/v1/feature.js';

/** Null for no value. */
type AttributeValue = string | number | boolean | null;

const NONE: never[] = [];

/** Attributes of a record as plain values. */
export function toAttributeValues(attributes: readonly Attribute[]): readonly AttributeValue[] {
  return attributes.length === 0 ? NONE : attributes.map(({ value }) => value?.value ?? null);
}

/** Plain values as attributes of a record: none where all are missing. */
export function toAttributes(values: readonly AttributeValue[]): Attribute[] {
  return values.every((value) => value === null) ? [] : values.map(toAttribute);
}

function toAttribute(value: AttributeValue): Attribute {
  switch (typeof value) {
    case 'string':
      return { value: { $case: 'text', value } };
    case 'number':
      return { value: { $case: 'number', value } };
    case 'boolean':
      return { value: { $case: 'flag', value } };
    default:
      return { value: undefined };
  }
}
