import { Ajv, type ValidateFunction } from 'ajv';

const OPTIONS = { allErrors: true, useDefaults: true, strict: false, validateFormats: false } as const;

/** For bodies: JSON values are not converted. */
const bodies = new Ajv({ ...OPTIONS, coerceTypes: false });
/** For paths and queries, which are text: `7` is converted to a number where the schema asks for one. */
const texts = new Ajv({ ...OPTIONS, coerceTypes: true });

/** Checks a part of a request against its schema; each schema of a route is compiled once. */
export function compileValidator(schema: unknown, httpPart: string | undefined): ValidateFunction {
  return (httpPart === 'body' ? bodies : texts).compile(schema as object);
}
