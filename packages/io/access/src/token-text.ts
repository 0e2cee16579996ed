import { createRandomToken } from '@perennial/kernel';

/** `pt_` identifies a token to people and secret scanners; 43 characters or more of base64url hold at least 256 bits. */
const TOKEN_PATTERN = /^pt_[A-Za-z0-9_-]{43,128}$/;

/** A fresh token with a secret of 256 random bits. */
export function createTokenText(): string {
  return `pt_${createRandomToken()}${createRandomToken()}`;
}

/** Whether a text could be a token; any other text is rejected without a lookup in the store. */
export function isTokenText(text: string): boolean {
  return TOKEN_PATTERN.test(text);
}
