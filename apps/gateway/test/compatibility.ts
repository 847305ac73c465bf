/**
 * The public API against the one that was released: who wrote a program against that one must not notice a newer Tillstream.
 * A request that was taken is still taken; an answer still has each field, of the same type, that was always there.
 */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Bag = { readonly [key: string]: Json };

type Side = 'taken' | 'given';

/** Two OpenAPI documents. Answers a sentence for each thing that a client of the first could not do with the second. */
export function breaksBetween(released: Bag, present: Bag): readonly string[] {
  const complaints: string[] = [];

  const compareOperation = (name: string, was: Bag, is: Json | undefined): void => {
    if (is === undefined) return void complaints.push(`${name}: the operation is gone`);
    compareParameters(name, parametersOf(was), parametersOf(is));
    const bodyOf = (operation: Json) => at(operation, 'requestBody', 'content', 'application/json', 'schema');
    compare(`${name} body`, 'taken', bodyOf(was), bodyOf(is));
    if (needsBody(is) && !needsBody(was)) complaints.push(`${name}: a body has become necessary`);
    for (const [status, answer] of Object.entries(bag(was['responses'])))
      for (const [kind, content] of Object.entries(bag(at(answer, 'content'))))
        compare(
          `${name} ${status}`,
          'given',
          at(content, 'schema'),
          at(is, 'responses', status, 'content', kind, 'schema'),
        );
  };

  const compareParameters = (name: string, was: readonly Bag[], is: readonly Bag[]): void => {
    const sameAs = (parameter: Bag) => (each: Bag) =>
      each['name'] === parameter['name'] && each['in'] === parameter['in'];
    for (const parameter of is) {
      if (parameter['required'] === true && was.find(sameAs(parameter))?.['required'] !== true)
        complaints.push(`${name} ?${text(parameter['name'])}: has become necessary`);
    }
    for (const parameter of was)
      compare(
        `${name} ?${text(parameter['name'])}`,
        'taken',
        parameter['schema'],
        is.find(sameAs(parameter))?.['schema'],
      );
  };

  const compare = (where: string, side: Side, wasSchema: Json | undefined, isSchema: Json | undefined): void => {
    if (wasSchema === undefined) return;
    if (isSchema === undefined) return void complaints.push(`${where}: is gone`);
    const was = resolved(released, wasSchema);
    const is = resolved(present, isSchema);
    for (const key of side === 'taken' ? ['type', 'format', 'pattern'] : ['type', 'format', 'const', 'pattern'])
      if (JSON.stringify(was[key]) !== JSON.stringify(is[key])) complaints.push(`${where}: ${key} is another`);
    // A list of words may grow for what is taken and for what is given: clients are told to expect words they do not know.
    const words = wordsOf(is);
    if (side === 'taken' && words.length > 0)
      for (const word of wordsOf(was))
        if (!words.includes(word)) complaints.push(`${where}: ${text(word)} is no longer taken`);
    const [sooner, later] = side === 'taken' ? [is, was] : [was, is];
    for (const name of list(sooner['required']))
      if (!list(later['required']).includes(name))
        complaints.push(
          `${where}.${text(name)}: ${side === 'taken' ? 'has become necessary' : 'is no longer always there'}`,
        );
    for (const [name, schema] of Object.entries(bag(was['properties'])))
      compare(`${where}.${name}`, side, schema, at(is, 'properties', name));
    compare(`${where}[]`, side, was['items'], is['items']);
    list(was['anyOf']).forEach((schema, nth) => compare(`${where}|${nth}`, side, schema, list(is['anyOf'])[nth]));
    compareLimits(where, side, was, is);
  };

  const compareLimits = (where: string, side: Side, was: Bag, is: Bag): void => {
    if (side === 'given') return;
    for (const [key, isNarrower] of narrower) {
      const [before, now] = [was[key], is[key]];
      if (typeof now === 'number' && (typeof before !== 'number' || isNarrower(before, now)))
        complaints.push(`${where}: ${key} is narrower`);
    }
  };

  for (const [path, operations] of Object.entries(bag(released['paths'])))
    for (const [method, operation] of Object.entries(bag(operations)))
      compareOperation(`${method} ${path}`, bag(operation), at(present, 'paths', path, method));
  return complaints;
}

const isLess = (before: number, now: number) => now < before;
const isMore = (before: number, now: number) => now > before;
const narrower = [
  ['maxLength', isLess],
  ['maxItems', isLess],
  ['maximum', isLess],
  ['minLength', isMore],
  ['minItems', isMore],
  ['minimum', isMore],
] as const;

const parametersOf = (operation: Json): readonly Bag[] => list(at(operation, 'parameters')).map(bag);

const needsBody = (operation: Json): boolean =>
  at(operation, 'requestBody') !== undefined && at(operation, 'requestBody', 'required') !== false;

function resolved(document: Bag, schema: Json): Bag {
  const reference = bag(schema)['$ref'];
  if (typeof reference !== 'string') return bag(schema);
  return resolved(document, at(document, ...reference.replace('#/', '').split('/')) ?? {});
}

/** What may be said, where that is a list; a constant is a list of one. */
function wordsOf(schema: Bag): readonly Json[] {
  return schema['const'] === undefined ? list(schema['enum']) : [schema['const']];
}

function at(from: Json | undefined, ...keys: readonly string[]): Json | undefined {
  return keys.reduce((found, key) => bag(found)[key], from);
}

function bag(value: Json | undefined): Bag {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Bag) : {};
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value));
