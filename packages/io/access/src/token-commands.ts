import { parseArgs } from 'node:util';
import { AppError } from '@perennial/kernel';
import { parseScopes } from './scopes.js';
import type { ListedToken, NewToken, TokenStore } from './token-store.js';
import { isTokenText } from './token-text.js';

/**
 * `tokens import` reads its token from this variable, because every user of the machine can see command-line arguments.
 */
export const TOKEN_VARIABLE = 'PERENNIAL_TOKEN';

const TOKEN_NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;
const DAYS_MAX = 3_650;
const DAY_MS = 86_400_000;

export interface TokenCommandContext {
  readonly store: TokenStore;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nowMs: number;
  readonly print: (line: string) => void;
}

/** `tokens create | import | list | revoke` of a service's command line. */
export async function runTokenCommand(args: readonly string[], context: TokenCommandContext): Promise<void> {
  const { store, print } = context;
  const [action = '', ...rest] = args;
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      scopes: { type: 'string' },
      days: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const tell = (answer: unknown, text: string) => print(values.json ? JSON.stringify(answer) : text);
  switch (action) {
    case 'create': {
      const created = await store.create(parseNewToken(values, context.nowMs));
      return tell(created, `token ${created.name} (${created.scopes.join(', ')}), shown once: ${created.token}`);
    }
    case 'import': {
      const imported = await store.import(parseNewToken(values, context.nowMs), readTokenText(context.env));
      return tell(imported, `token ${imported.name} (${imported.scopes.join(', ')}) is in force`);
    }
    case 'list': {
      const tokens = await store.list();
      return tell({ tokens }, tokens.map(toLine).join('\n'));
    }
    case 'revoke': {
      const revoked = await store.revoke(values.name ?? positionals[0] ?? '');
      return tell(revoked, `token ${revoked.name} is revoked`);
    }
    default:
      throw invalid(`tokens ${JSON.stringify(action)} is unknown; there are: create, import, list, revoke`);
  }
}

function parseNewToken(
  { name, scopes, days }: { name?: string | undefined; scopes?: string | undefined; days?: string | undefined },
  nowMs: number,
): NewToken {
  if (name === undefined || !TOKEN_NAME.test(name)) {
    throw invalid('--name must be 1 to 64 letters, digits, spaces, dots, dashes, and begin with a letter or digit');
  }
  return { name, scopes: parseScopes(scopes ?? ''), expiresAt: parseExpiry(days, nowMs) };
}

function parseExpiry(days: string | undefined, nowMs: number): Date | null {
  if (days === undefined) return null;
  const count = /^\d{1,5}$/.test(days) ? Number(days) : 0;
  if (count >= 1 && count <= DAYS_MAX) return new Date(nowMs + count * DAY_MS);
  throw invalid(`--days must be a whole number from 1 to ${DAYS_MAX}`);
}

function readTokenText(env: TokenCommandContext['env']): string {
  const text = env[TOKEN_VARIABLE];
  if (text !== undefined && isTokenText(text)) return text;
  throw invalid(`${TOKEN_VARIABLE} must hold pt_ and at least 43 random characters of base64url`);
}

function toLine({ id, name, scopes, expiresAt, revokedAt }: ListedToken): string {
  const state = revokedAt !== null ? '  revoked' : expiresAt === null ? '' : `  until ${expiresAt}`;
  return `${id}  ${name}  ${scopes.join(',')}${state}`;
}

function invalid(message: string): AppError {
  return new AppError('config_invalid', message);
}
