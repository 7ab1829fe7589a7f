// The syntax trees: expressions, paths (RFC 9535 segments and selectors) and path filters.
import type { Json } from '../../json.ts';

export type Selector =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'slice'; readonly start?: number; readonly end?: number; readonly step: number }
  | { readonly kind: 'filter'; readonly filter: Filter }
  /** `items[index]`, `items[(index + 1)]`: ours, not the RFC's; always alone in its segment. */
  | { readonly kind: 'computed'; readonly expression: Expression };

export interface Segment {
  readonly descendant: boolean;
  readonly selectors: readonly Selector[];
}

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type FilterFunction = 'length' | 'count' | 'match' | 'search' | 'value';

export interface FilterQuery {
  readonly from: 'root' | 'current';
  readonly segments: readonly Segment[];
  readonly isSingular: boolean;
}
export interface FilterCall {
  readonly name: FilterFunction;
  readonly args: readonly FilterOperand[];
}
export type FilterOperand =
  | { readonly kind: 'literal'; readonly value: null | boolean | number | string }
  | { readonly kind: 'query'; readonly query: FilterQuery }
  | { readonly kind: 'call'; readonly call: FilterCall };
export type Filter =
  | { readonly kind: 'or' | 'and'; readonly terms: readonly Filter[] }
  | { readonly kind: 'not'; readonly term: Filter }
  | { readonly kind: 'exists'; readonly query: FilterQuery }
  | { readonly kind: 'call'; readonly call: FilterCall }
  | {
      readonly kind: 'compare';
      readonly operator: ComparisonOperator;
      readonly left: FilterOperand;
      readonly right: FilterOperand;
    };

export type BinaryOperator = ComparisonOperator | '??' | '||' | '&&' | 'in' | '+' | '-' | '*' | '/' | '%';

/** What a function over elements gives its second argument, whatever these names mean around it. */
export const LOCAL_NAMES = ['item', 'index'] as const;
export type LocalName = (typeof LOCAL_NAMES)[number];

export interface PathExpression {
  readonly kind: 'path';
  /** Where it starts: the scope (its first segment is then usually a name of the scope), a local name, or a computed value. */
  readonly from: 'scope' | Expression;
  readonly segments: readonly Segment[];
  /** As the author wrote it, for messages. */
  readonly text: string;
}
export type Expression =
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Expression])[] }
  /** `item` or `index` inside the second argument of a function over elements: always the start of a path. */
  | { readonly kind: 'local'; readonly name: LocalName }
  | PathExpression
  | { readonly kind: 'not' | 'negate'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'conditional';
      readonly test: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      /** 0-based character in its text: tells two `uuid()` of one text apart. */
      readonly at: number;
    };
