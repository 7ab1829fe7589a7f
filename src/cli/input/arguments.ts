// Readers of arguments and options: what does not fit is wrong usage, said before any work begins.
import { PAGE_LIMIT } from '../../resources/list-limits.ts';
import { USD } from '../../resources/prices.ts';
import { type Command, InvalidArgumentError, Option } from '../command.ts';

export function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

export function wholeNumber(min: number, max: number) {
  return (text: string) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
    return value;
  };
}

/** A value, or the word `none`, which stays as it is: commander takes null for an option without a value. */
export function orNone<Value>(read: (text: string) => Value) {
  return (text: string): Value | 'none' => (text === 'none' ? text : read(text));
}

export function textWithin({
  minLength,
  maxLength,
}: {
  readonly minLength: number;
  readonly maxLength: number;
}) {
  return (text: string) => {
    const { length } = [...text];
    if (length < minLength || length > maxLength)
      throw new InvalidArgumentError(`expected ${minLength} to ${maxLength} characters`);
    return text;
  };
}

/** Adds what every list takes. */
export function paged(
  list: Command,
  cursor: { readonly flag?: string; readonly read?: (text: string) => unknown } = {},
): Command {
  const { flag = '--cursor <cursor>', read } = cursor;
  const page = list.option(
    '--limit <n>',
    `at most ${PAGE_LIMIT.max}`,
    wholeNumber(1, PAGE_LIMIT.max),
    PAGE_LIMIT.default,
  );
  const described = 'nextCursor of the page before';
  return read === undefined ? page.option(flag, described) : page.option(flag, described, read);
}

export function seconds(min: number, max: number) {
  return (text: string) => {
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`expected seconds from ${min} to ${max}`);
    return value;
  };
}

/** An amount of 0 or more, kept as it is written. */
export function dollars(text: string): string {
  if (!USD.pattern.test(text)) throw new InvalidArgumentError(`expected ${USD.expected}`);
  return text;
}
