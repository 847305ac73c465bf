/**
 * Writes statements as kysely does, and those of tagged templates once: the text of a template depends on nothing but the
 * templates within it. What comes out is the same string each time, so that whoever looks it up finds it at once.
 */
import {
  PostgresQueryCompiler,
  type CompiledQuery,
  type OperationNode,
  type QueryId,
  type RawNode,
  type RootOperationNode,
  type ValueNode,
} from 'kysely';

/** What came so far, template by template. */
interface Place {
  text: string | undefined;
  /** By how many values came before the next template, which says between which of them it stands. */
  readonly further: (WeakMap<object, Place> | undefined)[];
}

const newPlace = (): Place => ({ text: undefined, further: [] });

export class RememberingCompiler extends PostgresQueryCompiler {
  readonly #templates = newPlace();

  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    if (!isRaw(node)) return super.compileQuery(node, queryId);
    const values: unknown[] = [];
    const place = follow(this.#templates, node, values);
    if (place === undefined) return super.compileQuery(node, queryId);
    place.text ??= super.compileQuery(node, queryId).sql;
    return { query: node, queryId, sql: place.text, parameters: values };
  }
}

/** Undefined when something else than templates and values is in it. The values come in the order of their numbers. */
function follow(from: Place, { sqlFragments, parameters }: RawNode, values: unknown[]): Place | undefined {
  // The texts of a tagged template are one object for as long as its module lives; those of sql.ref and sql.join are not.
  if (!Object.hasOwn(sqlFragments, 'raw')) return undefined;
  const known = (from.further[values.length] ??= new WeakMap());
  let place = known.get(sqlFragments);
  if (place === undefined) known.set(sqlFragments, (place = newPlace()));
  for (const each of parameters) {
    if (isRaw(each)) {
      place = follow(place, each, values);
      if (place === undefined) return undefined;
    } else if (isValue(each) && each.immediate !== true) values.push(each.value);
    else return undefined;
  }
  return place;
}

const isRaw = (node: OperationNode): node is RawNode => node.kind === 'RawNode';
const isValue = (node: OperationNode): node is ValueNode => node.kind === 'ValueNode';
