// Looks at a JSON Schema that a user wrote before Ajv compiles it, and makes a copy in which everything is counted:
//   G1  Only local references exist, and none of Ajv's own extensions ($async, $data) or dynamic references.
//   G2  What compiling it will cost is bounded, and paid from a budget before it is spent (compile-cost.ts).
//   G3  Every part that a validation can reach counts itself, those that references lead to also (counted-keywords.ts).
//   G4  Ajv sees no schema that was not looked at: what is behind keywords that nobody knows is left out.
import type { Problem } from '../../errors.ts';
import type { BuildBudget } from '../../expression/build-budget.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { joinPointer, resolvePointer } from '../pointer.ts';
import { describeValue, quoteText } from '../quote-text.ts';
import {
  booleanCostOf,
  compileCostOf,
  FIXED_COST,
  mergeCostOf,
  mergesOf,
  outsideCostOf,
} from './compile-cost.ts';
import { COUNTER, EVALUATED, RETURN } from './counted-keywords.ts';
import { costOf, KEYWORD_COSTS, SHELVES } from './keyword-costs.ts';
import { patternsOf, schemaPatternProblem } from './schema-patterns.ts';

export const MAX_SCHEMA_BYTES = 256_000;
const MAX_PARTS = 2000;
const MAX_PROBLEMS = 20;
/** Types that there are: more of them in a list are no types. */
const MAX_TYPES = 7;
const REFUSED = [
  '$async',
  '$data',
  '$dynamicRef',
  '$dynamicAnchor',
  '$recursiveRef',
  '$recursiveAnchor',
  '$vocabulary',
];
const DRAFT = 'https://json-schema.org/draft/2020-12/schema';
/** What is ours or the copy's. */
const OWN: ReadonlySet<string> = new Set([COUNTER, RETURN, EVALUATED, '$id', '$schema']);
/** Names in `$defs` of what references found behind unknown keywords. */
const MOVED = 'dagwright:';

export interface GuardedSchema {
  /** Ready to compile. */
  readonly schema: Json;
  /** Pointers begin at the schema. */
  readonly problems: readonly Problem[];
  /** Units that compiling it costs: what a compiled schema weighs in memory too. */
  readonly weight: number;
  /** Where the author wrote what is at this pointer of the copy. */
  readonly authorPointer: (pointer: string) => string;
}

/** The schema ready to compile, or what is wrong with it. `text` is its JSON. */
export function guardSchema(schema: Json, text: string, budget: BuildBudget): GuardedSchema {
  return new Guard(schema, budget).run(text);
}

interface Reference {
  readonly holder: Record<string, Json>;
  readonly target: string;
}

class Guard {
  readonly #schema: Json;
  readonly #budget: BuildBudget;
  readonly #problems: Problem[] = [];
  /** Compile cost of the parts that are where the author wrote them, by pointer. */
  readonly #inPlace = new Map<string, number>();
  readonly #references: Reference[] = [];
  #parts = 0;
  #names = 0;
  #merges = 0;
  readonly #patterns = new Set<string>();
  /** `unevaluatedProperties`, each of which asks a list of names. */
  #nameLists = 0;
  #weight = 0;
  #looked = 0;
  #isUsedUp = false;

  constructor(schema: Json, budget: BuildBudget) {
    this.#schema = schema;
    this.#budget = budget;
  }

  run(text: string): GuardedSchema {
    const refused = { schema: true, weight: 0, authorPointer: (pointer: string) => pointer };
    if (text.length > MAX_SCHEMA_BYTES) {
      this.#bad('', `a schema may have ${MAX_SCHEMA_BYTES} bytes`);
      return { ...refused, problems: this.#problems };
    }
    const root = this.#part(this.#schema, '', true);
    const moved = this.#follow(root);
    const outside = outsideCostOf(this.#patterns.size + this.#nameLists);
    this.#weight += FIXED_COST + mergeCostOf(this.#merges, this.#names) + outside;
    if (this.#parts > MAX_PARTS) this.#bad('', `a schema may have at most ${MAX_PARTS} parts`);
    if (!this.#budget.spendOnSchema(this.#weight)) this.#useUp('');
    if (this.#problems.length > 0) return { ...refused, problems: this.#problems };
    return {
      // Ajv resolves "#" only in a schema that has a name.
      schema: isJsonObject(root) ? { ...root, $id: 'dagwright:schema' } : root,
      problems: [],
      weight: this.#weight,
      authorPointer: (pointer) => authorPointer(pointer, moved),
    };
  }

  #part(value: Json, pointer: string, isInPlace: boolean): Json {
    if (typeof value === 'boolean') {
      this.#weight += booleanCostOf(value);
      return value;
    }
    if (!isJsonObject(value)) {
      this.#bad(pointer, `a schema is an object, true or false; got ${describeValue(value)}`);
      return true;
    }
    this.#parts += 1;
    const cost = compileCostOf(value, pointer.length);
    this.#looked += cost;
    if (!this.#budget.canSpendOnSchema(this.#looked)) this.#useUp(pointer);
    if (this.#parts > MAX_PARTS || this.#isUsedUp) return true;
    const before = this.#weight;
    this.#weight += cost;
    this.#merges += mergesOf(value);
    this.#refuse(value, pointer);
    for (const pattern of patternsOf(value, pointer)) this.#pattern(pattern);
    const copy: Record<string, Json> = Object.fromEntries(
      Object.entries(value).flatMap(([keyword, member]) => {
        const kept = this.#keyword(keyword, member, pointer, isInPlace);
        return kept === undefined ? [] : [[keyword, kept]];
      }),
    );
    if (typeof value.$ref === 'string') this.#reference(value.$ref, copy, pointer);
    if (Object.keys(copy).length > 0) Object.assign(copy, { [COUNTER]: costOf(value), [RETURN]: true });
    if (Object.hasOwn(copy, 'unevaluatedProperties')) {
      copy[EVALUATED] = true;
      this.#nameLists += 1;
    }
    if (isInPlace) this.#inPlace.set(pointer, this.#weight - before);
    return copy;
  }

  /** What is kept of a keyword: undefined where it is left out. */
  #keyword(keyword: string, member: Json, pointer: string, isInPlace: boolean): Json | undefined {
    if (OWN.has(keyword)) return undefined;
    const cost = Object.hasOwn(KEYWORD_COSTS, keyword) ? KEYWORD_COSTS[keyword]! : null;
    // G4. Single values are annotations, or Ajv's to refuse.
    if (cost === null) return typeof member === 'object' && member !== null ? undefined : member;
    if (keyword === 'properties' && isJsonObject(member)) this.#names += Object.keys(member).length;
    const before = this.#weight;
    const kept = this.#schemas(keyword, member, pointer, isInPlace);
    // They are compiled where they are referred to.
    if (SHELVES.has(keyword)) this.#weight = before;
    return kept;
  }

  #schemas(keyword: string, member: Json, pointer: string, isInPlace: boolean): Json {
    const { schemas } = KEYWORD_COSTS[keyword]!;
    const at = joinPointer(pointer, keyword);
    if (schemas === 'one') return this.#part(member, at, isInPlace);
    if (schemas === 'list' && Array.isArray(member))
      return (member as readonly Json[]).map((part, i) => this.#part(part, joinPointer(at, i), isInPlace));
    if (schemas === 'named' && isJsonObject(member))
      return Object.fromEntries(
        Object.entries(member).map(([name, part]) => [
          name,
          // `dependencies` may list names instead.
          keyword === 'dependencies' && Array.isArray(part)
            ? part
            : this.#part(part, joinPointer(at, name), isInPlace),
        ]),
      );
    return member;
  }

  #refuse(value: JsonObject, pointer: string): void {
    for (const keyword of REFUSED)
      if (Object.hasOwn(value, keyword))
        this.#bad(joinPointer(pointer, keyword), `${keyword} is not supported`);
    for (const [keyword, member] of Object.entries(value))
      if (
        isJsonObject(member) &&
        Object.hasOwn(member, '$data') &&
        KEYWORD_COSTS[keyword]?.schemas !== 'named'
      )
        this.#bad(joinPointer(pointer, keyword, '$data'), '$data is not supported');
    if (Object.hasOwn(value, '$id') && pointer !== '')
      this.#bad(joinPointer(pointer, '$id'), '$id is only supported at the top of a schema');
    // The meta-schema would compare each with each.
    if (Array.isArray(value.type) && value.type.length > MAX_TYPES)
      this.#bad(joinPointer(pointer, 'type'), `there are ${MAX_TYPES} types, got ${value.type.length}`);
    const { $schema = DRAFT } = value;
    if (typeof $schema !== 'string' || $schema.replace(/#$/, '') !== DRAFT)
      this.#bad(
        joinPointer(pointer, '$schema'),
        `only JSON Schema 2020-12 is supported, got ${describeValue($schema)}`,
      );
    if (Object.hasOwn(value, '$ref') && typeof value.$ref !== 'string')
      this.#bad(joinPointer(pointer, '$ref'), `$ref must be text, got ${describeValue(value.$ref)}`);
  }

  #pattern({ pattern, pointer }: { readonly pattern: string; readonly pointer: string }): void {
    if (this.#isUsedUp) return;
    this.#patterns.add(pattern);
    const problem = schemaPatternProblem(pattern, this.#budget);
    if (problem === 'too_complex') this.#useUp(pointer);
    else if (problem !== null)
      this.#bad(
        pointer,
        `the pattern ${quoteText(pattern)} cannot be used: ${problem.reason}`,
        'patterns are RE2: no look-around, no back-references',
      );
  }

  #reference(reference: string, holder: Record<string, Json>, pointer: string): void {
    const at = joinPointer(pointer, '$ref');
    const target = reference.slice(1);
    if (!reference.startsWith('#'))
      this.#bad(at, `only local references are supported, got ${quoteText(reference)}`, 'use "#/$defs/…"');
    else if (target !== '' && (!/^\/[^%]*$/.test(target) || !resolvePointer(this.#schema, target).found))
      this.#bad(at, `${quoteText(reference)} refers to nothing in this schema`);
    else this.#references.push({ holder, target });
  }

  // G3. What a reference leads to behind an unknown keyword is looked at too, and found in `$defs` from then on.
  #follow(root: Json): ReadonlyMap<string, string> {
    const moved = new Map<string, { readonly name: string; readonly weight: number }>();
    const parts: [string, Json][] = [];
    const compiled = new Set<string>();
    const rootWeight = this.#weight;
    let weight = rootWeight;
    // The list grows while parts that were moved are looked at.
    for (let i = 0; i < this.#references.length && !this.#isUsedUp; i++) {
      const { holder, target } = this.#references[i]!;
      if (target !== '' && !this.#inPlace.has(target) && !moved.has(target)) {
        this.#weight = 0;
        const name = `${MOVED}${parts.length}`;
        const part: [string, Json] = [name, true];
        parts.push(part);
        moved.set(target, { name, weight: 0 });
        const found = resolvePointer(this.#schema, target);
        part[1] = this.#part((found.found ? found.value : true) as Json, target, false);
        moved.set(target, { name, weight: this.#weight });
      }
      const place = moved.get(target);
      if (place !== undefined) holder.$ref = `#/$defs/${place.name}`;
      if (compiled.has(target)) continue;
      compiled.add(target);
      // Each part that is referred to becomes a function of its own. The whole is one already.
      if (target !== '') weight += this.#inPlace.get(target) ?? place?.weight ?? 0;
    }
    this.#weight = weight;
    if (parts.length > 0 && isJsonObject(root) && (root.$defs === undefined || isJsonObject(root.$defs)))
      (root as Record<string, Json>).$defs = { ...root.$defs, ...Object.fromEntries(parts) };
    return new Map([...moved].map(([target, { name }]) => [`/$defs/${name}`, target]));
  }

  #useUp(pointer: string): void {
    if (this.#isUsedUp) return;
    this.#isUsedUp = true;
    this.#problems.push({
      pointer,
      code: 'too_complex',
      message: 'the schemas and patterns of this document take too much to compile',
      hint: 'fewer or shorter patterns, fewer parts, shorter names',
    });
  }

  #bad(pointer: string, message: string, hint?: string): void {
    if (this.#problems.length < MAX_PROBLEMS)
      this.#problems.push({ pointer, code: 'invalid_schema', message, ...(hint !== undefined && { hint }) });
  }
}

function authorPointer(pointer: string, moved: ReadonlyMap<string, string>): string {
  const [, prefix] = /^(\/\$defs\/[^/]*)/.exec(pointer) ?? [];
  const target = prefix === undefined ? undefined : moved.get(prefix);
  return target === undefined ? pointer : target + pointer.slice(prefix!.length);
}
