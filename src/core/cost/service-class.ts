// Service classes and regions: what an answer says of how it was served, and what that does to its price. The class in the
// answer counts, not the one that was asked for.
//   K1  A class multiplies all rates of tokens, and no fee that is charged by the call. Several classes multiply.
//   K2  A class that has no known factor for a model has no price: never the standard one.
import type { JsonObject } from '../json.ts';
import { multiplyUsd, type Usd } from '../money.ts';
import { compileMatch, type MatchesName } from './model-match.ts';

export const CLASS_KINDS = ['service_tier', 'speed', 'inference_geo'] as const;
export type ClassKind = (typeof CLASS_KINDS)[number];

/** What is not the standard: `speed` `fast`. */
export interface ServiceClass {
  readonly kind: ClassKind;
  readonly value: string;
}

const STANDARD: { readonly [kind in ClassKind]: readonly string[] } = {
  service_tier: ['standard', 'default', 'auto', 'on_demand', 'unspecified', 'traffic_type_unspecified'],
  speed: ['standard'],
  inference_geo: ['global', 'not_available'],
};
/** Google's names of traffic, as tiers. */
const TRAFFIC: Readonly<Record<string, string>> = {
  on_demand_flex: 'flex',
  on_demand_priority: 'priority',
};

/** Reads the classes of an answer and of its usage block; those that are standard are left out. */
export function readServiceClasses(answer: JsonObject, usage: JsonObject): ServiceClass[] {
  const tiers = [
    answer.service_tier,
    usage.service_tier,
    answer.serviceTier,
    usage.serviceTier,
    usage.trafficType,
  ];
  const told: { readonly [kind in ClassKind]: readonly unknown[] } = {
    service_tier: tiers,
    speed: [usage.speed],
    inference_geo: [usage.inference_geo],
  };
  return CLASS_KINDS.flatMap((kind) => {
    const values = told[kind].filter((one) => one !== undefined && one !== null && one !== '').map(className);
    const value = values.find((one) => !STANDARD[kind].includes(one));
    return value === undefined ? [] : [{ kind, value }];
  });
}

function className(value: unknown): string {
  const name = typeof value === 'string' ? value.toLowerCase() : JSON.stringify(value);
  return (Object.hasOwn(TRAFFIC, name) ? TRAFFIC[name]! : name).slice(0, 60);
}

interface ClassFactor extends ServiceClass {
  readonly provider: string;
  /** A pattern of RE2 for names of models. */
  readonly models: string;
  readonly factor: Usd;
  readonly source: string;
  readonly checkedOn: string;
}

const ANTHROPIC = {
  provider: 'anthropic',
  source: 'https://platform.claude.com/docs/en/about-claude/pricing',
  checkedOn: '2026-11-30',
} as const;
const OPENAI = {
  provider: 'openai',
  source: 'https://developers.openai.com/api/docs/pricing',
  checkedOn: '2026-11-30',
} as const;
const priority = (models: string, factor: Usd): ClassFactor => ({
  ...OPENAI,
  kind: 'service_tier',
  value: 'priority',
  models,
  factor,
});

/** Reviewed by people; the first that matches counts. */
const CLASS_FACTORS: readonly ClassFactor[] = [
  { ...ANTHROPIC, kind: 'service_tier', value: 'batch', models: '^claude-', factor: '0.5' },
  {
    ...ANTHROPIC,
    kind: 'speed',
    value: 'fast',
    models: '^claude-opus-(5-5|5|4-8)(-20\\d{6})?$',
    factor: '2',
  },
  // While they had it.
  { ...ANTHROPIC, kind: 'speed', value: 'fast', models: '^claude-opus-4-[67](-20\\d{6})?$', factor: '6' },
  {
    ...ANTHROPIC,
    kind: 'inference_geo',
    value: 'us',
    models: '^claude-[a-z]+-(4-[6-9]|[5-9])(-|$)',
    factor: '1.1',
  },
  { ...OPENAI, kind: 'service_tier', value: 'batch', models: '', factor: '0.5' },
  { ...OPENAI, kind: 'service_tier', value: 'flex', models: '', factor: '0.5' },
  priority('^gpt-5-mini(-20[\\d-]+)?$', '1.8'),
  priority('^gpt-4\\.1(-mini)?(-20[\\d-]+)?$', '1.75'),
  priority('^o3(-20[\\d-]+)?$', '1.75'),
  priority('^gpt-4o(-20[\\d-]+)?$', '1.7'),
  priority('^gpt-4\\.1-nano(-20[\\d-]+)?$', '2'),
  priority('^gpt-5(\\.[124])?(-codex)?(-20[\\d-]+)?$', '2'),
  priority('^gpt-(5\\.6|6|6\\.1)(-(sol|terra|luna|astra))?(-20[\\d-]+)?$', '2'),
];

const compiled = new Map<ClassFactor, MatchesName>();

/** What all classes together multiply a model's rates by; where one has no known factor, that class. */
export function findClassFactor(
  provider: string,
  model: string,
  classes: readonly ServiceClass[],
): { readonly factor: Usd } | { readonly unknown: ServiceClass } {
  let factor: Usd = '1';
  for (const one of classes) {
    const row = CLASS_FACTORS.find(
      (row) =>
        row.provider === provider && row.kind === one.kind && row.value === one.value && matches(row, model),
    );
    if (row === undefined) return { unknown: one };
    factor = multiplyUsd(factor, row.factor);
  }
  return { factor };
}

function matches(row: ClassFactor, model: string): boolean {
  let test = compiled.get(row);
  if (test === undefined) {
    test = row.models === '' ? () => true : compileMatch({ regex: row.models });
    compiled.set(row, test);
  }
  return test(model);
}
