// The bounds that keep every expression small, fast and unable to grow the worker, and why each has its value.

/** Characters of one expression (one `{{ }}`). */
export const MAX_EXPRESSION_CHARS = 4096;
/** Characters of one path, and `..` segments in it: two descents visit at most nodes x depth. */
export const MAX_PATH_CHARS = 512;
export const MAX_DESCENTS = 2;
/** Nested brackets, calls and operators of one expression. */
export const MAX_NESTING = 64;
/** Nesting of data that an operator may walk; stored values have at most 256. */
export const MAX_DATA_DEPTH = 512;
/** UTF-16 units of any text, and JSON characters of any value, that an expression builds. */
export const MAX_TEXT = 16_000_000;
/** Elements of `range()`. */
export const MAX_RANGE = 100_000;
/**
 * Steps of one evaluation, or of all that share a budget (steps.ts). One step is 20 to 50 ns of work, so they end within
 * 300 ms.
 */
export const MAX_STEPS = 6_000_000;
/** A pattern's text and its compiled size; a text of n characters costs n x size x 20 ns in the worst case. */
export const MAX_PATTERN_CHARS = 1000;
export const MAX_PATTERN_SIZE = 2000;
/** Compiled texts that are kept: entries, and characters of their texts together (an AST is about 100 times its text). */
export const CACHE_ENTRIES = 2000;
export const CACHE_CHARS = 400_000;

/** Segments and keys that reach behind an object: refused at compile time, also as data. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor']);
