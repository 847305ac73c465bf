/** From the grammar's nodes to functions that answer a value. */
import type { A_Const, A_Expr, BoolExpr, CaseExpr, ColumnRef, Node } from 'libpg-query';
import { aggregateOrWindow } from './aggregates.ts';
import {
  cast,
  coerce,
  commonType,
  constant,
  knownType,
  settled,
  using,
  type Context,
  type Env,
  type Expr,
  type ScopeEntry,
} from './compile.ts';
import { notKnown, postgresError } from './errors.ts';
import { scalars } from './functions.ts';
import { alike, compareRows, negative, operator, quantified } from './operators.ts';
import { equalityOf, rowFields, rowOf } from './row-values.ts';
import { subLink } from './sub-selects.ts';
import { isScalarType, kindOf, qualified, textOf, texts, typeOf } from './syntax.ts';
import { Composite, keyOf, type Column, type Tuple, type Value } from './values.ts';

export function expression(context: Context, node: Node): Expr {
  if ('ColumnRef' in node) return columnRef(context, node.ColumnRef);
  if ('ParamRef' in node)
    return { type: 'unknown', unknown: { parameter: (node.ParamRef.number ?? 1) - 1 }, run: () => null };
  if ('A_Const' in node) return literal(node.A_Const);
  if ('A_Expr' in node) return operation(context, node.A_Expr);
  if ('BoolExpr' in node) return logic(context, node.BoolExpr);
  if ('FuncCall' in node) return call(context, node);
  if ('TypeCast' in node) return typeCast(context, node.TypeCast.arg as Node, typeOf(node.TypeCast.typeName));
  if ('NullTest' in node) {
    const of = settled(context, expression(context, node.NullTest.arg as Node)).run;
    const wanted = node.NullTest.nulltesttype === 'IS_NULL';
    return { type: 'bool', run: (env) => (of(env) === null) === wanted };
  }
  if ('BooleanTest' in node) {
    const of = coerce(context, expression(context, node.BooleanTest.arg as Node), 'bool').run;
    const kind = node.BooleanTest.booltesttype ?? '';
    const value = kind.endsWith('TRUE') ? true : kind.endsWith('FALSE') ? false : null;
    const isNot = kind.startsWith('IS_NOT');
    return { type: 'bool', run: (env) => (of(env) === value) !== isNot };
  }
  if ('CaseExpr' in node) return choice(context, node.CaseExpr);
  if ('CoalesceExpr' in node) return coalesce(context, node.CoalesceExpr.args ?? []);
  if ('MinMaxExpr' in node) {
    const name = node.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest';
    const args = (node.MinMaxExpr.args ?? []).map((each) => expression(context, each));
    return (scalars[name] as NonNullable<(typeof scalars)[string]>)(context, args, []);
  }
  if ('SubLink' in node) return subLink(context, node.SubLink);
  if ('RowExpr' in node) return rowOf(context, node.RowExpr);
  if ('A_ArrayExpr' in node) {
    const items = (node.A_ArrayExpr.elements ?? []).map((each) => knownType(context, expression(context, each)));
    const type = commonType(items);
    const given = items.map((each) => coerce(context, each, type));
    return { type: `${type}[]`, run: (env) => given.map((each) => each.run(env)) };
  }
  if ('SQLValueFunction' in node) {
    const { op } = node.SQLValueFunction;
    if (op === 'SVFOP_CURRENT_USER') return { type: 'name', run: (env) => env.run.user };
    if (op === 'SVFOP_CURRENT_TIMESTAMP') return { type: 'timestamptz', run: (env) => env.run.transaction.startedAt };
    return notKnown(String(op));
  }
  if ('A_Indirection' in node)
    return indirection(context, node.A_Indirection.arg as Node, node.A_Indirection.indirection ?? []);
  if ('CollateClause' in node) return expression(context, node.CollateClause.arg as Node);
  return notKnown(kindOf(node));
}

/** A condition: true or not. */
export function condition(context: Context, node: Node): Expr {
  return coerce(context, expression(context, node), 'bool');
}

function literal(value: A_Const): Expr {
  if (value.isnull === true) return { type: 'unknown', unknown: { literal: null }, run: () => null };
  if (value.sval !== undefined) {
    const text = value.sval.sval ?? '';
    return { type: 'unknown', unknown: { literal: text }, run: () => text };
  }
  if (value.boolval !== undefined) return constant('bool', value.boolval.boolval ?? false);
  if (value.ival !== undefined) return constant('int4', value.ival.ival ?? 0);
  const text = value.fval?.fval ?? '';
  return /^\d+$/.test(text) ? constant('int8', BigInt(text)) : constant('numeric', Number(text));
}

function columnRef(context: Context, ref: ColumnRef): Expr {
  const fields = ref.fields ?? [];
  const names = fields.map((field) => ('A_Star' in field ? '*' : textOf(field)));
  if (names.at(-1) === '*') return notKnown('* as a value');
  const name = names.at(-1) as string;
  if (names.length >= 2) {
    const entry = findEntry(context, names.at(-2) as string);
    if (entry !== undefined) return columnOf(context, entry, name);
    throw postgresError('42P01', `missing FROM-clause entry for table "${names.at(-2)}"`);
  }
  for (let scope: typeof context.scope | undefined = context.scope; scope !== undefined; scope = scope.parent) {
    const found = scope.entries.filter(
      (entry) =>
        entry.isAside !== true && !entry.hidden.has(name) && entry.columns.some((column) => column.name === name),
    );
    if (found.length > 1) throw postgresError('42702', `column reference "${name}" is ambiguous`);
    if (found[0] !== undefined) return columnOf(context, found[0], name);
    if (name === 'ctid') {
      const entry = scope.entries.find((each) => each.table !== undefined);
      if (entry !== undefined) return columnOf(context, entry, name);
    }
  }
  const parameter = context.names.get(name);
  if (parameter !== undefined) return knownType(context, { type: 'unknown', unknown: { parameter }, run: () => null });
  const row = findEntry(context, name);
  if (row !== undefined) return wholeRow(context, row);
  throw postgresError('42703', `column "${name}" does not exist`);
}

export function findEntry(context: Context, alias: string): ScopeEntry | undefined {
  for (let scope: typeof context.scope | undefined = context.scope; scope !== undefined; scope = scope.parent) {
    const found = scope.entries.find((entry) => entry.alias === alias);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function columnOf(context: Context, entry: ScopeEntry, name: string): Expr {
  const { k } = entry;
  context.used.add(k);
  const c = entry.columns.findIndex((column) => column.name === name);
  if (c < 0) {
    if (name === 'ctid' && entry.table !== undefined) return { type: 'tid', name, run: (env) => env.s[k]?.id ?? null };
    throw postgresError('42703', `column ${entry.alias}.${name} does not exist`);
  }
  return columnAtOf(context, entry, c);
}

/** By its place: rows from functions may have two columns of one name. */
export function columnAtOf(context: Context, entry: ScopeEntry, c: number): Expr {
  const { k } = entry;
  context.used.add(k);
  const { type, name } = entry.columns[c] as Column;
  return { type, name, column: { k, c }, run: (env) => (env.t[k] as Tuple)[c] as Value };
}

function wholeRow(context: Context, entry: ScopeEntry): Expr {
  const { k, columns } = entry;
  context.used.add(k);
  if (columns.length === 1 && entry.table === undefined) return columnOf(context, entry, columns[0]?.name ?? '');
  return {
    type: 'record',
    name: entry.alias,
    fields: columns,
    run: (env) => new Composite(columns, env.t[k] as Tuple),
  };
}

function operation(context: Context, node: A_Expr): Expr {
  const name = textOf(node.name?.at(-1));
  const list = () => {
    const right = node.rexpr as Node;
    return 'List' in right ? (right.List.items ?? []) : notKnown(`in ${kindOf(right)}`);
  };
  if (node.lexpr === undefined) {
    const only = knownType(context, expression(context, node.rexpr as Node));
    return name === '-' ? negative(only) : notKnown(`prefix ${name}`);
  }
  const [left, leftUses] = using(context, () => expression(context, node.lexpr as Node));
  switch (node.kind) {
    case 'AEXPR_OP': {
      const [right, rightUses] = using(context, () => expression(context, node.rexpr as Node));
      if (left.fields !== undefined && right.fields !== undefined) {
        return compareRows(context, name, rowFields(left), rowFields(right));
      }
      const result = operator(context, name, left, right);
      if (name !== '=') return result;
      const [a, b] = alike(context, left, right);
      return { ...result, equality: [...equalityOf(a, b, rightUses, false), ...equalityOf(b, a, leftUses, false)] };
    }
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL': {
      const isAll = node.kind === 'AEXPR_OP_ALL';
      const [right, rightUses] = using(context, () => expression(context, node.rexpr as Node));
      const result = quantified(context, name, left, right, isAll);
      if (isAll || name !== '=' || left.column === undefined) return result;
      const array = coerce(context, right, `${left.type}[]`);
      return { ...result, equality: equalityOf(left, array, rightUses, true) };
    }
    case 'AEXPR_IN': {
      const isNot = name === '<>';
      if (left.fields !== undefined) {
        const rows = list().map((each) =>
          compareRows(context, '=', rowFields(left), rowFields(expression(context, each))),
        );
        return { type: 'bool', run: (env) => rows.some((row) => row.run(env) === true) !== isNot };
      }
      const [items, itemUses] = using(context, () =>
        list().map((each) => knownType(context, expression(context, each))),
      );
      const known = knownType(context, left);
      const type = commonType([known, ...items]);
      const given = items.map((each) => coerce(context, each, type));
      const array: Expr = { type: `${type}[]`, run: (env) => given.map((each) => each.run(env)) };
      const value = coerce(context, known, type);
      const result = quantified(context, isNot ? '<>' : '=', value, array, isNot);
      return isNot ? result : { ...result, equality: equalityOf(value, array, itemUses, true) };
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN': {
      const [low, high] = list().map((each) => expression(context, each)) as [Expr, Expr];
      const [a, b] = [operator(context, '>=', left, low), operator(context, '<=', left, high)];
      const both = conjunction([a, b]);
      return node.kind === 'AEXPR_BETWEEN' ? both : { type: 'bool', run: (env) => not(both.run(env)) };
    }
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      return operator(context, name, left, expression(context, node.rexpr as Node));
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT': {
      const [a, b] = alike(context, left, expression(context, node.rexpr as Node));
      const isSame = node.kind === 'AEXPR_NOT_DISTINCT';
      return { type: 'bool', run: (env) => (keyOf(a.run(env)) === keyOf(b.run(env))) === isSame };
    }
    case 'AEXPR_NULLIF':
      return (scalars['nullif'] as NonNullable<(typeof scalars)[string]>)(
        context,
        [left, expression(context, node.rexpr as Node)],
        [],
      );
    default:
      return notKnown(String(node.kind));
  }
}

const not = (value: Value): Value => (value === null ? null : value !== true);

export function conjunction(parts: readonly Expr[]): Expr {
  const runs = parts.map((part) => part.run);
  const run = (env: Env): Value => {
    let isNull = false;
    for (const each of runs) {
      const value = each(env);
      if (value === false) return false;
      if (value === null) isNull = true;
    }
    return isNull ? null : true;
  };
  return { type: 'bool', run };
}

function logic(context: Context, node: BoolExpr): Expr {
  const parts = (node.args ?? []).map((each) => condition(context, each));
  if (node.boolop === 'AND_EXPR') return conjunction(parts);
  const runs = parts.map((part) => part.run);
  if (node.boolop === 'NOT_EXPR') {
    const [only] = runs as [Expr['run']];
    return { type: 'bool', run: (env) => not(only(env)) };
  }
  const run = (env: Env): Value => {
    let isNull = false;
    for (const each of runs) {
      const value = each(env);
      if (value === true) return true;
      if (value === null) isNull = true;
    }
    return isNull ? null : false;
  };
  return { type: 'bool', run };
}

function choice(context: Context, node: CaseExpr): Expr {
  const subject = node.arg === undefined ? undefined : expression(context, node.arg);
  const branches = (node.args ?? []).map((each) => {
    if (!('CaseWhen' in each)) return notKnown(kindOf(each));
    const when = expression(context, each.CaseWhen.expr as Node);
    const test = subject === undefined ? coerce(context, when, 'bool') : operator(context, '=', subject, when);
    return { test, result: knownType(context, expression(context, each.CaseWhen.result as Node)) };
  });
  const otherwise = node.defresult === undefined ? undefined : knownType(context, expression(context, node.defresult));
  const all = [...branches.map((branch) => branch.result), ...(otherwise === undefined ? [] : [otherwise])];
  const isOpen = all.every((each) => each.unknown !== undefined);
  const type = isOpen ? 'text' : commonType(all);
  const typed = branches.map(({ test, result }) => ({ test: test.run, result: coerce(context, result, type).run }));
  const last = otherwise === undefined ? () => null : coerce(context, otherwise, type).run;
  const run = (env: Env): Value => {
    for (const { test, result } of typed) if (test(env) === true) return result(env);
    return last(env);
  };
  return { type, run, name: 'case' };
}

function coalesce(context: Context, nodes: readonly Node[]): Expr {
  const parts = nodes.map((each) => knownType(context, expression(context, each)));
  const type = commonType(parts);
  const runs = parts.map((part) => coerce(context, part, type).run);
  const run = (env: Env): Value => {
    for (const each of runs) {
      const value = each(env);
      if (value !== null) return value;
    }
    return null;
  };
  return { type, run, name: 'coalesce' };
}

function typeCast(context: Context, arg: Node, type: string): Expr {
  if (!isScalarType(type)) {
    const table = isTableType(context, type);
    if (table === undefined) {
      if (type === 'regclass' || type === 'regnamespace')
        return named(cast(settled(context, expression(context, arg)), 'text'));
      return notKnown(`type ${type}`);
    }
    const inner = expression(context, arg);
    if (inner.unknown === undefined) return notKnown(`a cast to ${type}`);
    return { type: 'record', fields: table, run: () => null };
  }
  const inner = knownType(context, expression(context, arg));
  if (inner.unknown !== undefined) return { ...coerce(context, inner, type), name: inner.name ?? type };
  const result = cast(inner, type);
  return inner.name === undefined ? { ...result, name: type } : { ...result, name: inner.name };
}

/** A name without its quotes. */
const named = ({ run }: Expr): Expr => ({
  type: 'text',
  run: (env) => ((value) => (typeof value === 'string' ? value.replaceAll('"', '') : value))(run(env)),
});

function isTableType(context: Context, type: string): readonly Column[] | undefined {
  const [schema, name] = type.includes('.') ? (type.split('.') as [string, string]) : [undefined, type];
  return context.catalog.findTable(context.path, schema, name)?.columns;
}

function indirection(context: Context, arg: Node, steps: readonly Node[]): Expr {
  const of = expression(context, arg);
  const [step] = steps;
  if (step === undefined || steps.length !== 1) return notKnown('a longer path into a value');
  if ('A_Indices' in step) {
    const at = coerce(context, expression(context, step.A_Indices.uidx as Node), 'int4');
    return {
      type: of.type.slice(0, -2),
      run: (env) => (of.run(env) as Value[] | null)?.[(at.run(env) as number) - 1] ?? null,
    };
  }
  const name = textOf(step);
  const c = of.fields?.findIndex((column) => column.name === name) ?? -1;
  const column = of.fields?.[c];
  if (column === undefined) throw postgresError('42703', `column "${name}" not found`);
  return { type: column.type, name, run: (env) => (of.run(env) as Composite | null)?.values[c] ?? null };
}

function call(context: Context, node: Extract<Node, { FuncCall: unknown }>): Expr {
  const { FuncCall } = node;
  const { schema, name } = qualified(FuncCall.funcname);
  const special = aggregateOrWindow(context, FuncCall, name);
  if (special !== undefined) return { ...special, name };
  const names: (string | undefined)[] = [];
  const args = (FuncCall.args ?? []).map((each) => {
    names.push('NamedArgExpr' in each ? (each.NamedArgExpr.name ?? '') : undefined);
    return expression(context, 'NamedArgExpr' in each ? (each.NamedArgExpr.arg as Node) : each);
  });
  const make = scalars[schema === 'pg_catalog' && name === 'extract' ? 'pg_catalog.extract' : name];
  if (make !== undefined && (schema === undefined || schema === 'pg_catalog')) {
    return { ...make(context, args, names), name };
  }
  const made = context.callFunction(context, texts(FuncCall.funcname).join('.'), args);
  if (made !== undefined) return { ...made, name };
  throw postgresError('42883', `not known in memory: function ${name}`);
}
