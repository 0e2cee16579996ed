import { Ajv, type ValidateFunction } from 'ajv';

const OPTIONS = { allErrors: true, useDefaults: true, strict: false, validateFormats: false } as const;

/** Bodies are JSON and mean what they say. */
const bodies = new Ajv({ ...OPTIONS, coerceTypes: false });
/** Paths and queries are text: `7` is a number where one is asked for. */
const texts = new Ajv({ ...OPTIONS, coerceTypes: true });

/** Checks a part of a request against its schema; the schemas are those of routes, compiled once each. */
export function compileValidator(schema: unknown, httpPart: string | undefined): ValidateFunction {
  return (httpPart === 'body' ? bodies : texts).compile(schema as object);
}
