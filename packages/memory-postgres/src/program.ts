/** One statement, compiled: what it needs, what it answers. */
import type { Node } from 'libpg-query';
import type { Catalog, FunctionDefinition, TableDefinition } from './catalog.ts';
import { toDriver } from './casts.ts';
import { coerce, emptyEnv, type Context, type Env, type Expr, type Rows } from './compile.ts';
import { notKnown } from './errors.ts';
import { expression } from './expressions.ts';
import { modify } from './modify.ts';
import { select } from './select.ts';
import { kindOf, parse, parseExpression } from './syntax.ts';
import type { Tuple, Type, Value } from './values.ts';

export interface Program {
  readonly command: string;
  readonly plan: Rows;
  readonly parameters: readonly Type[];
  readonly written: readonly TableDefinition[];
  /** For the driver: with int8 as bigint or as text. */
  readonly fields: readonly { readonly name: string }[];
  answer(rows: readonly Tuple[], bigint: boolean): Record<string, unknown>[];
}

const commands: Record<string, string> = {
  SelectStmt: 'SELECT',
  InsertStmt: 'INSERT',
  UpdateStmt: 'UPDATE',
  DeleteStmt: 'DELETE',
};

export const isProgram = (node: Node): boolean => Object.hasOwn(commands, kindOf(node));

export interface Place {
  readonly catalog: Catalog;
  readonly path: readonly string[];
  readonly role: string | null;
}

function newContext(place: Place, parameters: (Type | undefined)[], names: ReadonlyMap<string, number>): Context {
  return {
    ...place,
    parameters,
    names,
    written: new Set(),
    counts: { tables: 0, aggregates: 0, memos: 0 },
    scope: { entries: [], parent: undefined },
    ctes: [],
    used: new Set(),
    aggregates: undefined,
    windows: undefined,
    expression,
    select,
    modify,
    callFunction: (context, name, args) => callFunction(place, context, name, args),
  };
}

export function compile(place: Place, node: Node): Program {
  const parameters: (Type | undefined)[] = [];
  const context = newContext(place, parameters, new Map());
  const plan = select(context, node);
  const names = plan.columns.map((column) => column.name);
  const converters = [false, true].map((bigint) => plan.columns.map((column) => toDriver(column.type, bigint)));
  return {
    command: commands[kindOf(node)] ?? notKnown(kindOf(node)),
    plan,
    parameters: Array.from(parameters, (type) => type ?? 'text'),
    written: [...context.written],
    fields: names.map((name) => ({ name })),
    answer: (rows, bigint) => {
      const convert = converters[bigint ? 1 : 0] as ((value: Value) => unknown)[];
      return rows.map((row) => {
        const object: Record<string, unknown> = {};
        for (let at = 0; at < names.length; at += 1) {
          object[names[at] as string] = (convert[at] as (value: Value) => unknown)(row[at] ?? null);
        }
        return object;
      });
    },
  };
}

/** An expression by itself, such as the default of a column. */
export function compileExpression(place: Place, node: Node, type: Type): (env: Env) => Value {
  const context = newContext(place, [], new Map());
  return coerce(context, expression(context, node), type).run;
}

/** A condition on the rows of a table, such as that of a partial index. */
export function compilePredicate(place: Place, table: TableDefinition, node: Node): (values: Tuple) => boolean {
  const context = newContext(place, [], new Map());
  context.scope = {
    entries: [{ alias: table.name, k: 0, columns: table.columns, table, hidden: new Set() }],
    parent: undefined,
  };
  const { run } = coerce(context, expression(context, node), 'bool');
  // Such a condition may ask for nothing but the row.
  const env = emptyEnv(undefined as never);
  return (values) => {
    env.t[0] = values;
    return run(env) === true;
  };
}

function callFunction(place: Place, context: Context, name: string, args: readonly Expr[]): Expr | undefined {
  const parts = name.split('.');
  const schema = parts.length > 1 ? parts[0] : undefined;
  const definition = place.catalog.findFunction(place.path, schema, parts.at(-1) ?? '');
  if (definition === undefined) return undefined;
  const given = definition.parameters.map((parameter, at) => coerce(context, args[at] as Expr, parameter.type).run);
  const home: Place = schema === undefined ? place : { ...place, path: [schema, ...place.path] };
  const body = bodyOf(home, definition);
  return {
    type: definition.returns,
    run: (env) =>
      body(
        env,
        given.map((each) => each(env)),
      ),
  };
}

function bodyOf(place: Place, definition: FunctionDefinition): (env: Env, values: readonly Value[]) => Value {
  const types = definition.parameters.map((parameter) => parameter.type);
  const names = new Map(definition.parameters.map((parameter, at) => [parameter.name, at]));
  if (definition.language === 'sql') {
    const statements = parse(definition.body);
    const node = statements[0]?.stmt;
    if (statements.length !== 1 || node === undefined)
      return notKnown(`a function of several statements: ${definition.name}`);
    const context = newContext(place, [...types], names);
    const plan = select(context, node, [definition.returns]);
    return (env, values) => plan.rows(emptyEnv(env.run, values), 1)[0]?.[0] ?? null;
  }
  const steps = stepsOf(definition.body).map((text) => {
    const context = newContext(place, [...types], names);
    return coerce(context, expression(context, parseExpression(text)), 'text').run;
  });
  return (env, values) => {
    for (const step of steps) env.run.execute(step(emptyEnv(env.run, values)) as string);
    return '';
  };
}

/** Of plpgsql only `begin execute …; execute …; end` is known. */
function stepsOf(body: string): string[] {
  const inner = /^\s*begin\s([\s\S]*)end\s*;?\s*$/i.exec(body)?.[1];
  if (inner === undefined) return notKnown(`a body of plpgsql: ${body}`);
  const parts = inner.split(/;(?=(?:[^']*'[^']*')*[^']*$)/).map((part) => part.trim());
  return parts
    .filter((part) => part !== '')
    .map((part) => /^execute\s([\s\S]*)$/i.exec(part)?.[1] ?? notKnown(`plpgsql: ${part}`));
}
