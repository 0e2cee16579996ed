/** The environment as given; `undefined` and the empty string both mean "not set". */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One variable as it was requested; `.env.example` and the docs are generated from these. */
export interface VariableDeclaration {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly secret: boolean;
  readonly default?: string;
  /** What a valid value looks like, in words. */
  readonly form: string;
}
