// Regular expressions in linear time, by RE2: no look-around, no back-references. The one place that builds them.
//   L1  What building a pattern costs is known from its text, before it is built, and bounded (pattern-weight.ts).
//   L2  A pattern is built once for as long as it is remembered, whoever asks for it.
//   L3  What RE2 learns from the texts it sees (up to 8 MB a pattern) is forgotten as soon as it is more than a little.
import { RE2JS } from 're2js';
import { createWeighedCache } from '../cache.ts';
import { MAX_PATTERN_CHARS, MAX_PATTERN_SIZE } from './limits.ts';
import { MAX_PATTERN_WEIGHT, patternWeight } from './pattern-weight.ts';

/** Patterns that are kept, and their weight together: a unit of weight is about 100 bytes. */
const MAX_PATTERNS = 2000;
const MAX_KEPT_WEIGHT = 300_000;
/** Bytes of learned states, as RE2 estimates them. */
const MAX_LEARNED_BYTES = 256_000;
/** Larger programs learn nothing: a state costs them more than reading on without it. */
const MAX_LEARNER_SIZE = 150;
const NOTHING_LEARNED = { match: () => null, stateBudget: 0, memBudget: 0 };

/** Why a pattern cannot be used. */
export class PatternError extends Error {
  /** In short, without saying that it is about a pattern. */
  readonly reason: string;
  constructor(message: string, reason = message) {
    super(message);
    this.reason = reason;
  }
}

export class LinearPattern {
  /** Instructions of the program. */
  readonly size: number;
  /** What building it cost. */
  readonly weight: number;
  readonly #regex: RE2JS;
  readonly #stepsPerChar: number;

  constructor(regex: RE2JS, weight: number) {
    this.#regex = regex;
    this.size = regex.programSize();
    this.weight = weight;
    // Where each character leaves one way only, the text is read once; else each may cost a step for each instruction.
    const isOneWay = regex.re2().onepass !== null;
    this.#stepsPerChar = (isOneWay ? Math.min(this.size / 2, 4) : this.size / 2) + 4;
    if (!isOneWay && this.size > MAX_LEARNER_SIZE) regex.re2().lazyDFA = NOTHING_LEARNED as never;
  }

  /** What a test of a text of so many characters costs at the most; a step is about 25 ns. */
  stepsFor(length: number): number {
    return Math.ceil((length + 1) * this.#stepsPerChar);
  }

  /** Whether a part of the text fits. */
  finds(text: string): boolean {
    const found = this.#regex.test(text);
    this.#forget();
    return found;
  }

  /** Whether the whole text fits. */
  fits(text: string): boolean {
    const fits = this.#regex.testExact(text);
    this.#forget();
    return fits;
  }

  #forget(): void {
    // It is null until the first text that needs it, whatever its type says.
    const automaton = this.#regex.re2().lazyDFA as { stateBudget: number; memBudget: number } | null;
    if (automaton !== null && automaton.stateBudget - automaton.memBudget > MAX_LEARNED_BYTES)
      this.#regex.re2().lazyDFA.clearCache();
  }
}

const built = createWeighedCache<LinearPattern>(MAX_PATTERNS, MAX_KEPT_WEIGHT, ({ weight }) => weight);

/** A pattern in RE2's own syntax. Throws {@link PatternError}. */
export function linearPattern(text: string): LinearPattern {
  const known = built.get(text);
  if (known !== undefined) return known;
  const weight = weightOf(text);
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(text);
  } catch (error) {
    throw notKnown(error);
  }
  if (regex.programSize() > MAX_PATTERN_SIZE) throw tooLarge(String(regex.programSize()));
  const pattern = new LinearPattern(regex, weight);
  built.set(text, pattern);
  return pattern;
}

/** A pattern as JSON Schema has them, in the syntax of ECMAScript. Throws {@link PatternError}. */
export function linearSchemaPattern(text: string): LinearPattern {
  checkLength(text);
  return linearPattern(translated(text));
}

/** What building a pattern costs, or 0 where it is remembered. Throws {@link PatternError} where it is too large. */
export function costOfBuilding(text: string): number {
  return built.get(text) === undefined ? weightOf(text) : 0;
}

/** As {@link costOfBuilding}, remembered or not. */
export function weightOfPattern(text: string): number {
  return weightOf(text);
}

/** As {@link weightOfPattern}, in the syntax of ECMAScript. */
export function weightOfSchemaPattern(text: string): number {
  checkLength(text);
  return weightOf(translated(text));
}

function weightOf(text: string): number {
  checkLength(text);
  const { size, weight } = patternWeight(text);
  // An estimate: what is near the limit is built and then measured.
  if (size > 2 * MAX_PATTERN_SIZE) throw tooLarge(`about ${size}`);
  if (weight > MAX_PATTERN_WEIGHT)
    throw new PatternError(
      'the pattern is too large for RE2: it repeats large classes of characters too often',
    );
  return weight;
}

function checkLength(text: string): void {
  if (text.length > MAX_PATTERN_CHARS)
    throw new PatternError(`a pattern may have at most ${MAX_PATTERN_CHARS} characters, got ${text.length}`);
}

function translated(text: string): string {
  try {
    return RE2JS.translateRegExp(text);
  } catch (error) {
    throw notKnown(error);
  }
}

function tooLarge(size: string): PatternError {
  return new PatternError(
    `the pattern is too large for RE2: ${size} instructions, at most ${MAX_PATTERN_SIZE}`,
  );
}

function notKnown(error: unknown): PatternError {
  const reason =
    error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
  return new PatternError(`the pattern is not a regular expression that RE2 knows: ${reason}`, reason);
}
