// The counts of one usage block, all its lines together.
import { readUsageLines, sumLines } from '../../src/core/cost/read-usage.ts';
import type { TokenUsage } from '../../src/core/cost/usage.ts';
import type { Result } from '../../src/core/errors.ts';
import type { Json } from '../../src/core/json.ts';

export function tokenUsageOf(provider: string, usage: Json): Result<TokenUsage> {
  const lines = readUsageLines(provider, usage);
  return lines.ok ? { ok: true, value: sumLines(lines.value, usage) } : lines;
}
