/*
 * What the tidy test lets pass: a part of the problem's text, and why. The lists only shrink: an exception that nothing needs
 * fails the test.
 */

export const CIRCLES = {};

export const COMPUTED_IMPORTS = {};

export const LONG_FILES = {};

export const LONG_FUNCTIONS = {};

export const UNUSED = {};

export const MISSING_PATHS = {};

export const WORDS = {};
