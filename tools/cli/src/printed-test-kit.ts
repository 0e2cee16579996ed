import { afterEach, beforeEach, jest } from '@jest/globals';

/** Keeps what each test of this file prints to standard output, instead of printing it. */
export function capturePrinted(): { readonly text: string } {
  const printed = { text: '' };
  beforeEach(() => {
    printed.text = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.text += String(text);
      return true;
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  return printed;
}
