// Lists every place of a node that holds an expression, with what may be read there.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import type { ConfigFieldKind, TaskTypeRule } from '../task-type.ts';

export type ExpressionKind = 'mapping' | 'expression' | 'condition' | 'element' | 'weights' | 'arrival';

export interface Place {
  readonly value: Json;
  readonly pointer: string;
  readonly kind: ExpressionKind;
  readonly where: 'modelId' | 'condition' | 'inputMapping' | 'config' | 'outputMapping' | 'cache' | 'repeat';
  /** The task, the part of a parallel or the tool that it belongs to. */
  readonly task: JsonObject;
  /** Inside the task of a parallel over items. */
  readonly hasItem: boolean;
}

/** A part of a parallel, a tool of a model or the notice of a review: a node without taskId. */
export interface PartPlace {
  readonly kind: 'node' | 'item' | 'tool' | 'notice';
  readonly value: Json;
  readonly pointer: string;
  readonly hasItem: boolean;
}

/** The places of one task, without those of its parts. */
export function placesOf(
  task: JsonObject,
  pointer: string,
  rule: TaskTypeRule,
  hasItem: boolean,
): { readonly places: readonly Place[]; readonly parts: readonly PartPlace[] } {
  const places: Place[] = [];
  const parts: PartPlace[] = [];
  const add = (field: string, where: Place['where'], kind: ExpressionKind): void => {
    const value = Object.hasOwn(task, field) ? task[field] : undefined;
    if (value !== undefined)
      places.push({ value, pointer: joinPointer(pointer, field), kind, where, task, hasItem });
  };
  add('modelId', 'modelId', 'mapping');
  add('conditionExpression', 'condition', 'condition');
  add('inputMapping', 'inputMapping', 'mapping');
  add('outputMapping', 'outputMapping', 'mapping');
  if (isJsonObject(task.cache) && task.cache.key !== undefined)
    places.push({
      value: task.cache.key,
      pointer: joinPointer(pointer, 'cache', 'key'),
      ...{ kind: 'mapping', where: 'cache', task, hasItem },
    });
  if (isJsonObject(task.repeat))
    for (const [field, kind] of [
      ['until', 'condition'],
      ['collect', 'mapping'],
    ] as const)
      if (task.repeat[field] !== undefined)
        places.push({
          value: task.repeat[field],
          pointer: joinPointer(pointer, 'repeat', field),
          ...{ kind, where: 'repeat', task, hasItem },
        });
  const kinds = rule.fields ?? {};
  const visit = (value: Json, at: string, place: string): void => {
    const kind = kinds[place];
    if (kind === undefined && Object.keys(kinds).some((known) => known.startsWith(`${place}/`))) {
      if (Array.isArray(value)) {
        for (const [i, one] of (value as readonly Json[]).entries())
          visitMember(one, joinPointer(at, i), place, '*');
        return;
      }
      if (isJsonObject(value)) {
        for (const [name, one] of Object.entries(value)) visitMember(one, joinPointer(at, name), place, name);
        return;
      }
    }
    addConfig(value, at, kind ?? 'mapping');
  };
  const visitMember = (value: Json, at: string, place: string, name: string): void => {
    const exact = `${place}/${name}`;
    const isNamed = Object.keys(kinds).some((known) => known === exact || known.startsWith(`${exact}/`));
    visit(value, at, isNamed ? exact : `${place}/*`);
  };
  const addConfig = (value: Json, at: string, kind: ConfigFieldKind): void => {
    if (kind === 'literal') return;
    if (kind === 'node' || kind === 'item' || kind === 'tool' || kind === 'notice')
      parts.push({ kind, value, pointer: at, hasItem: hasItem || kind === 'item' });
    else places.push({ value, pointer: at, kind, where: 'config', task, hasItem });
  };
  if (isJsonObject(task.config)) {
    for (const [name, value] of Object.entries(task.config)) {
      if (name.startsWith('x-') || rule.notSupported?.includes(name)) continue;
      visit(value, joinPointer(pointer, 'config', name), name);
    }
  }
  return { places, parts };
}

/** The kind of a place of config given as a pointer below it (`/cases/0/branch`). */
export function configKind(rule: TaskTypeRule, segments: readonly string[]): ConfigFieldKind {
  for (const [place, kind] of Object.entries(rule.fields ?? {})) {
    const names = place.split('/');
    if (names.length <= segments.length && names.every((name, i) => name === '*' || name === segments[i]))
      return kind;
  }
  return 'mapping';
}
