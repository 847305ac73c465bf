/** The grammar: Postgres's own, so that nothing is read here that a server would not read, nor otherwise. */
import { loadModule, parseSync, type Node, type RawStmt, type TypeName } from 'libpg-query';
import { typeOfName } from './casts.ts';
import { notKnown, postgresError } from './errors.ts';
import type { Type } from './values.ts';

await loadModule();

export function parse(text: string): readonly RawStmt[] {
  try {
    return parseSync(text).stmts ?? [];
  } catch (error) {
    throw postgresError('42601', error instanceof Error ? error.message : String(error));
  }
}

/** `select <text>`, for bodies and predicates that come as text. */
export function parseExpression(text: string): Node {
  const statement = parse(`select ${text}`)[0]?.stmt;
  const target =
    statement !== undefined && 'SelectStmt' in statement ? statement.SelectStmt.targetList?.[0] : undefined;
  if (target === undefined || !('ResTarget' in target) || target.ResTarget.val === undefined) return notKnown(text);
  return target.ResTarget.val;
}

export function textOf(node: Node | undefined): string {
  if (node !== undefined && 'String' in node) return node.String.sval ?? '';
  return notKnown(`a name: ${kindOf(node)}`);
}

export const kindOf = (node: Node | undefined): string =>
  node === undefined ? 'nothing' : (Object.keys(node)[0] ?? '');

export const texts = (nodes: readonly Node[] | undefined): string[] => (nodes ?? []).map(textOf);

/** The last part of a name with dots, and what stood before it. */
export function qualified(nodes: readonly Node[] | undefined): { schema: string | undefined; name: string } {
  const parts = texts(nodes);
  return { schema: parts.length > 1 ? parts.at(-2) : undefined, name: parts.at(-1) ?? '' };
}

/** `int8`, `uuid[]`, or the name of a table. */
export function typeOf(type: TypeName | undefined): Type {
  const parts = texts(type?.names);
  const name = typeOfName(parts.at(-1) ?? '');
  if (parts.length === 2 && parts[0] !== 'pg_catalog') return parts.join('.');
  return (type?.arrayBounds ?? []).length > 0 ? `${name}[]` : name;
}

export const isScalarType = (type: Type): boolean =>
  /^(bool|int2|int4|int8|numeric|float8|text|name|uuid|timestamptz|interval|jsonb?|bytea|tid|void|record|trigger)(\[\])?$/.test(
    type,
  );
