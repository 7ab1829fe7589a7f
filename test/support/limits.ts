// The limits of connections in tests that wait for them: a part of those of production, so that the tests are short.
// DAGWRIGHT_TEST_DEPTH=full takes the real ones.
import { LIMITS, type Limits, REQUEST_LIMITS } from '../../src/db/connection/limits.ts';
import { isFullDepth } from './depth.ts';

/** What times are multiplied by. */
export const TIME_SCALE = isFullDepth ? 1 : 0.1;

export const testLimits = scaled(LIMITS, TIME_SCALE);
export const testRequestLimits = scaled(REQUEST_LIMITS, TIME_SCALE);

type Times = number | { readonly [name: string]: Times };

function scaled(limits: Limits, factor: number): Limits {
  const scale = (times: Times): Times =>
    typeof times === 'number'
      ? times * factor
      : Object.fromEntries(Object.entries(times).map(([name, time]) => [name, scale(time)]));
  return scale(limits as unknown as Times) as unknown as Limits;
}
