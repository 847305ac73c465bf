/** Operators between values: comparisons, arithmetic, text, times, JSON and arrays. */
import { isNumber, toText, wider } from './casts.ts';
import { cast, coerce, commonType, knownType, settled, type Context, type Env, type Expr } from './compile.ts';
import { notKnown, postgresError } from './errors.ts';
import { between, later, scaled, sum } from './time.ts';
import { Interval, Json, elementOf, isArrayType, jsonbText, keyOf, orderOf, type Type, type Value } from './values.ts';

type Run = (a: Value, b: Value) => Value;

const comparisons: Record<string, (sign: number) => boolean> = {
  '=': (sign) => sign === 0,
  '<>': (sign) => sign !== 0,
  '!=': (sign) => sign !== 0,
  '<': (sign) => sign < 0,
  '>': (sign) => sign > 0,
  '<=': (sign) => sign <= 0,
  '>=': (sign) => sign >= 0,
};

export const isComparison = (name: string): boolean => Object.hasOwn(comparisons, name);

/** Null in, null out. */
function strict(type: Type, left: Expr, right: Expr, run: Run): Expr {
  const [a, b] = [left.run, right.run];
  return {
    type,
    run: (env) => {
      const x = a(env);
      if (x === null) return null;
      const y = b(env);
      return y === null ? null : run(x, y);
    },
  };
}

/** Makes both sides one type. */
export function alike(context: Context, left: Expr, right: Expr): [Expr, Expr] {
  const sides = [knownType(context, left), knownType(context, right)] as const;
  const type = commonType(sides);
  return [coerce(context, sides[0], type), coerce(context, sides[1], type)];
}

/** Whether two values of one type are equal, neither null. */
export function sameOf(type: Type): (a: Value, b: Value) => boolean {
  if (['text', 'uuid', 'int2', 'int4', 'int8', 'float8', 'numeric', 'bool', 'timestamptz', 'name'].includes(type)) {
    return (a, b) => a === b;
  }
  if (isArrayType(type) || type === 'json' || type === 'jsonb') return (a, b) => keyOf(a) === keyOf(b);
  const order = orderOf(type);
  return (a, b) => order(a, b) === 0;
}

export function compare(context: Context, name: string, left: Expr, right: Expr): Expr {
  const test = comparisons[name];
  if (test === undefined) return notKnown(`comparison ${name}`);
  const [a, b] = alike(context, left, right);
  if (name === '=') {
    const same = sameOf(a.type);
    return strict('bool', a, b, same);
  }
  const order = orderOf(a.type);
  return strict('bool', a, b, (x, y) => test(order(x, y)));
}

/** `(a, b) < (x, y)`, and equality of rows. */
export function compareRows(context: Context, name: string, left: readonly Expr[], right: readonly Expr[]): Expr {
  const test = comparisons[name];
  if (test === undefined || left.length !== right.length) return notKnown(`comparison ${name} of rows`);
  const pairs = left.map((each, at) => alike(context, each, right[at] as Expr));
  const orders = pairs.map(([each]) => orderOf(each.type));
  const run = (env: Env): Value => {
    let isNull = false;
    for (const [at, [a, b]] of pairs.entries()) {
      const [x, y] = [a.run(env), b.run(env)];
      if (x === null || y === null) {
        if (name !== '=' && name !== '<>') return null;
        isNull = true;
        continue;
      }
      const sign = (orders[at] as (a: Value, b: Value) => number)(x, y);
      if (sign !== 0) return test(sign);
    }
    return isNull ? null : test(0);
  };
  return { type: 'bool', run };
}

function arithmetic(name: string, type: Type): Run {
  if (type === 'int8') {
    return (x, y) => {
      const [a, b] = [x as bigint, y as bigint];
      if ((name === '/' || name === '%') && b === 0n) throw postgresError('22012', 'division by zero');
      const value = name === '+' ? a + b : name === '-' ? a - b : name === '*' ? a * b : name === '/' ? a / b : a % b;
      if (BigInt.asIntN(64, value) !== value) throw postgresError('22003', 'bigint out of range');
      return value;
    };
  }
  const isWhole = type === 'int4' || type === 'int2';
  return (x, y) => {
    const [a, b] = [x as number, y as number];
    if ((name === '/' || name === '%') && b === 0) throw postgresError('22012', 'division by zero');
    const value = name === '+' ? a + b : name === '-' ? a - b : name === '*' ? a * b : name === '/' ? a / b : a % b;
    if (!isWhole) return value;
    const whole = Math.trunc(value);
    const limit = type === 'int2' ? 2 ** 15 : 2 ** 31;
    if (whole >= limit || whole < -limit)
      throw postgresError('22003', `${type === 'int2' ? 'smallint' : 'integer'} out of range`);
    return whole;
  };
}

function likePattern(pattern: string, flags: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const letter = pattern[at] as string;
    if (letter === '%') source += '[\\s\\S]*';
    else if (letter === '_') source += '[\\s\\S]';
    else {
      if (letter === '\\') at += 1;
      source += RegExp.escape(pattern[at] ?? '\\');
    }
  }
  return new RegExp(`^${source}$`, flags);
}

const patterns: Record<string, (text: string, pattern: string) => boolean> = {
  '~': (text, pattern) => new RegExp(pattern).test(text),
  '~*': (text, pattern) => new RegExp(pattern, 'i').test(text),
  '!~': (text, pattern) => !new RegExp(pattern).test(text),
  '~~': (text, pattern) => likePattern(pattern, '').test(text),
  '!~~': (text, pattern) => !likePattern(pattern, '').test(text),
  '~~*': (text, pattern) => likePattern(pattern, 'i').test(text),
};

function jsonAt(value: Json['value'] | undefined, path: readonly (string | number)[]): Json['value'] | undefined {
  let found: Json['value'] | undefined = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    if (Array.isArray(found)) {
      const at = Number(step);
      found = Number.isInteger(at) ? found.at(at) : undefined;
    } else found = Object.hasOwn(found, String(step)) ? found[String(step)] : undefined;
  }
  return found;
}

const asText = (value: Json['value'] | undefined): Value =>
  value === undefined || value === null ? null : typeof value === 'string' ? value : jsonbText(value);

function withoutPath(value: Json['value'], path: readonly string[]): Json['value'] {
  const [first, ...rest] = path;
  if (first === undefined || typeof value !== 'object' || value === null) return value;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const inner = jsonAt(value, [first]);
  if (inner === undefined) return value;
  if (Array.isArray(copy)) {
    if (rest.length === 0) copy.splice(Number(first), 1);
    else copy[Number(first)] = withoutPath(inner, rest);
  } else if (rest.length === 0) delete copy[first];
  else copy[first] = withoutPath(inner, rest);
  return copy;
}

function jsonContains(whole: Json['value'], part: Json['value']): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((each) => whole.some((one) => jsonContains(one, each)));
  }
  if (typeof part !== 'object' || part === null) return whole === part;
  if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) return false;
  return Object.entries(part).every(
    ([key, each]) => Object.hasOwn(whole, key) && jsonContains(whole[key] ?? null, each),
  );
}

function jsonOperator(context: Context, name: string, left: Expr, right: Expr): Expr {
  const isPath = name.startsWith('#');
  const type =
    right.unknown === undefined ? right.type : isPath ? 'text[]' : name === '@>' || name === '||' ? 'jsonb' : 'text';
  const b = coerce(context, right, type);
  const steps = (value: Value) => (isPath ? (value as string[]) : [value as string | number]);
  const found = (x: Value, y: Value) => jsonAt((x as Json).value, steps(y));
  switch (name) {
    case '->':
    case '#>':
      return strict('jsonb', left, b, (x, y) => {
        const value = found(x, y);
        return value === undefined ? null : new Json(value);
      });
    case '->>':
    case '#>>':
      return strict('text', left, b, (x, y) => asText(found(x, y)));
    case '#-':
      return strict('jsonb', left, b, (x, y) => new Json(withoutPath((x as Json).value, y as string[])));
    case '-':
      return strict('jsonb', left, b, (x, y) =>
        Json.of(
          (Array.isArray(y) ? y : [y]).reduce<Json['value']>(
            (value, key) => withoutPath(value, [toText('text', key)]),
            (x as Json).value,
          ),
        ),
      );
    case '||':
      return strict('jsonb', left, b, (x, y) => {
        const [one, two] = [(x as Json).value, (y as Json).value];
        if (Array.isArray(one) || Array.isArray(two)) return Json.of([one].flat().concat([two].flat()));
        return Json.of({ ...(one as object), ...(two as object) });
      });
    case '@>':
      return strict('bool', left, b, (x, y) => jsonContains((x as Json).value, (y as Json).value));
    case '?':
      return strict('bool', left, b, (x, y) => found(x, y) !== undefined);
    default:
      return notKnown(`operator ${name} of jsonb`);
  }
}

function timeOperator(context: Context, name: string, left: Expr, right: Expr): Expr | undefined {
  const sign = name === '-' ? -1 : 1;
  if (name === '*' || name === '/') {
    const [span, factor] = left.type === 'interval' ? [left, right] : [right, left];
    if (span.type !== 'interval') return undefined;
    const number = cast(coerce(context, factor, factor.unknown === undefined ? factor.type : 'float8'), 'float8');
    return strict('interval', span, number, (x, y) =>
      scaled(x as Interval, name === '*' ? (y as number) : 1 / (y as number)),
    );
  }
  if (name !== '+' && name !== '-') return undefined;
  if (left.type === 'timestamptz' && right.type === 'interval') {
    return strict('timestamptz', left, right, (x, y) => later(x as number, y as Interval, sign));
  }
  if (left.type === 'interval' && right.type === 'timestamptz' && sign === 1) {
    return strict('timestamptz', left, right, (x, y) => later(y as number, x as Interval, 1));
  }
  if (left.type === 'timestamptz' && (right.type === 'timestamptz' || right.unknown !== undefined) && sign === -1) {
    return strict('interval', left, coerce(context, right, 'timestamptz'), (x, y) => between(y as number, x as number));
  }
  if (left.type === 'interval' && right.type === 'interval') {
    return strict('interval', left, right, (x, y) => sum(x as Interval, y as Interval, sign));
  }
  return undefined;
}

function arrayOperator(context: Context, name: string, left: Expr, right: Expr): Expr {
  if (name === '||') {
    const of = elementOf(isArrayType(left.type) ? left.type : right.type);
    const listed = (expr: Expr): Expr =>
      isArrayType(expr.type)
        ? expr
        : { type: `${of}[]`, run: ((one) => (env: Env) => [one.run(env)])(coerce(context, expr, of)) };
    return strict(`${of}[]`, listed(left), listed(right), (x, y) => [...(x as Value[]), ...(y as Value[])]);
  }
  const [a, b] = alike(context, left, right);
  const has = (list: Value, value: Value) =>
    (list as Value[]).some((each) => each !== null && keyOf(each) === keyOf(value));
  if (name === '&&')
    return strict('bool', a, b, (x, y) => (x as Value[]).some((each) => each !== null && has(y, each)));
  if (name === '@>') return strict('bool', a, b, (x, y) => (y as Value[]).every((each) => has(x, each)));
  if (name === '<@') return strict('bool', a, b, (x, y) => (x as Value[]).every((each) => has(y, each)));
  return notKnown(`operator ${name} of arrays`);
}

export function operator(context: Context, name: string, leftSide: Expr, rightSide: Expr): Expr {
  const [left, right] = [knownType(context, leftSide), knownType(context, rightSide)];
  if (isComparison(name)) return compare(context, name, left, right);
  const pattern = patterns[name];
  if (pattern !== undefined) {
    const text = (expr: Expr) => cast(settled(context, expr), 'text');
    return strict('bool', text(left), text(right), (x, y) => pattern(x as string, y as string));
  }
  if (left.type === 'jsonb' || left.type === 'json') return jsonOperator(context, name, left, right);
  if (isArrayType(left.type) || isArrayType(right.type)) return arrayOperator(context, name, left, right);
  const time = timeOperator(context, name, left, right);
  if (time !== undefined) return time;
  if (name === '||') {
    const text = (expr: Expr) => cast(settled(context, expr), 'text');
    return strict('text', text(left), text(right), (x, y) => (x as string) + (y as string));
  }
  if (['+', '-', '*', '/', '%'].includes(name)) {
    const [a, b] = alike(context, left, right);
    if (!isNumber(a.type)) return notKnown(`operator ${name} of ${left.type} and ${right.type}`);
    const type = wider(a.type, b.type);
    return strict(type, a, b, arithmetic(name, type));
  }
  return notKnown(`operator ${name} of ${left.type} and ${right.type}`);
}

export function negative(expr: Expr): Expr {
  const { run, type } = expr;
  if (type === 'interval') {
    return { type, run: (env) => ((value) => value && scaled(value as Interval, -1))(run(env)) };
  }
  if (!isNumber(type)) return notKnown(`minus ${type}`);
  return { type, run: (env) => ((value) => (value === null ? null : -(value as number)))(run(env)) };
}

/** `value = any (list)`, `value <> all (list)` and so on. */
export function quantified(context: Context, name: string, left: Expr, list: Expr, isAll: boolean): Expr {
  const known = knownType(context, left);
  let array = knownType(context, list);
  if (array.unknown !== undefined) array = coerce(context, array, `${settled(context, known).type}[]`);
  if (!isArrayType(array.type)) return notKnown(`any of ${array.type}`);
  let value = coerce(context, known, known.unknown === undefined ? known.type : elementOf(array.type));
  if (value.type !== elementOf(array.type)) {
    const type = commonType([value, { type: elementOf(array.type), run: () => null }]);
    [value, array] = [cast(value, type), cast(array, `${type}[]`)];
  }
  const test = comparisons[name];
  if (test === undefined) return notKnown(`${name} any`);
  const [one, many, order] = [value.run, array.run, orderOf(value.type)];
  const same = sameOf(value.type);
  const holds = name === '=' ? same : (a: Value, b: Value) => test(order(a, b));
  const run = (env: Env): Value => {
    const values = many(env);
    if (values === null) return null;
    const x = one(env);
    let sawNull = false;
    for (const each of values as Value[]) {
      if (x === null || each === null) sawNull = true;
      else if (holds(x, each) !== isAll) return !isAll;
    }
    return sawNull ? null : isAll;
  };
  return { type: 'bool', run };
}
