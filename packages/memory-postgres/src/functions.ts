/** Functions of one row's values, by name. Each takes its arguments as they were written and answers an expression. */
import { jsonOf, toText } from './casts.ts';
import {
  cast,
  coerce,
  commonType,
  constant,
  knownType,
  settled,
  type Context,
  type Env,
  type Expr,
} from './compile.ts';
import { notKnown, postgresError } from './errors.ts';
import { Interval, Json, elementOf, jsonbText, keyOf, type Type, type Value } from './values.ts';

type Make = (context: Context, args: readonly Expr[], names: readonly (string | undefined)[]) => Expr;
type Run = (env: Env, ...values: Value[]) => Value;

/** With fixed argument types; null in, null out. */
function strict(types: readonly Type[], returns: Type, run: Run): Make {
  return (context, args) => {
    const given = args.map((arg, at) => coerce(context, knownType(context, arg), types[at] ?? types.at(-1) ?? 'text'));
    return {
      type: returns,
      run: (env) => {
        const values: Value[] = [];
        for (const each of given) {
          const value = each.run(env);
          if (value === null) return null;
          values.push(value);
        }
        return run(env, ...values);
      },
    };
  };
}

const now: Make = () => ({ type: 'timestamptz', run: (env) => env.run.transaction.startedAt });

/** Any number will do, as long as it is always the same. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value | 0;
}

const units = ['years', 'months', 'weeks', 'days', 'hours', 'mins', 'secs'];
const makeInterval: Make = (context, args, names) => {
  const parts = units.map((unit, at) => {
    const given = args.find((_, index) => (names[index] ?? units[index]) === unit);
    return given === undefined
      ? constant('float8', 0)
      : cast(coerce(context, given, at === 6 ? 'float8' : 'int4'), 'float8');
  });
  return {
    type: 'interval',
    run: (env) => {
      const values = parts.map((part) => part.run(env) as number | null);
      if (values.includes(null)) return null;
      const [years, months, weeks, days, hours, minutes, seconds] = values as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const time = hours * 3_600_000_000 + minutes * 60_000_000 + Math.round(seconds * 1_000_000);
      return new Interval(years * 12 + months, weeks * 7 + days, time);
    },
  };
};

const extract: Make = (context, args) => {
  const [field, of] = [args[0], args[1] && knownType(context, args[1])];
  const word = field?.unknown !== undefined && 'literal' in field.unknown ? field.unknown.literal : undefined;
  if (of === undefined || word !== 'epoch') return notKnown(`extract ${String(word)}`);
  if (of.type === 'timestamptz') {
    return { type: 'numeric', run: (env) => ((value) => value && (value as number) / 1_000_000)(of.run(env)) };
  }
  if (of.type !== 'interval') return notKnown(`extract from ${of.type}`);
  // A year has 365.25 days here, and only here.
  const seconds = (span: Interval) =>
    Math.trunc(span.months / 12) * 31_557_600 +
    (span.months % 12) * 2_592_000 +
    span.days * 86_400 +
    span.microseconds / 1_000_000;
  return { type: 'numeric', run: (env) => ((value) => value && seconds(value as Interval))(of.run(env)) };
};

const truncate = (unit: string, time: number): number => {
  if (unit === 'milliseconds') return Math.floor(time / 1_000) * 1_000;
  const date = new Date(Math.floor(time / 1_000));
  const at = ['year', 'month', 'day', 'hour', 'minute', 'second'].indexOf(unit);
  if (at < 0) return notKnown(`date_trunc ${unit}`);
  const parts = [
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  const kept = parts.map((part, index) => (index <= at ? part : index === 2 ? 1 : 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(...kept) * 1_000;
};

const encodings: Record<string, (bytes: Buffer) => string> = {
  hex: (bytes) => bytes.toString('hex'),
  base64: (bytes) => bytes.toString('base64'),
  escape: (bytes) =>
    Array.from(bytes, (byte) =>
      byte === 0 || byte > 127
        ? `\\${byte.toString(8).padStart(3, '0')}`
        : byte === 92
          ? '\\\\'
          : String.fromCharCode(byte),
    ).join(''),
};

const extreme =
  (sign: 1 | -1): Make =>
  (context, args) => {
    const known = args.map((arg) => knownType(context, arg));
    const type = commonType(known);
    const given = known.map((arg) => coerce(context, arg, type));
    return {
      type,
      run: (env) => {
        let best: Value = null;
        for (const each of given) {
          const value = each.run(env);
          if (value === null) continue;
          if (
            best === null ||
            (sign === 1 ? (value as number) > (best as number) : (value as number) < (best as number))
          )
            best = value;
        }
        return best;
      },
    };
  };

const rounding =
  (run: (value: number) => number): Make =>
  (context, args) => {
    const given = knownType(context, args[0] as Expr);
    const type = given.type === 'float8' ? 'float8' : 'numeric';
    return strict([type], type, (_, value) => run(value as number))(context, args, []);
  };

const asJson =
  (type: 'json' | 'jsonb'): Make =>
  (context, args) => {
    const of = settled(context, args[0] as Expr);
    return { type, run: (env) => ((value) => (value === null ? null : new Json(jsonOf(of.type, value))))(of.run(env)) };
  };

const advisory = (verb: 'lock' | 'try' | 'unlock', isOfSession: boolean): Make =>
  strict(['int8', 'int8'], verb === 'lock' ? 'void' : 'bool', (env, ...keys) => {
    const answer = env.run.advisory(verb, keys.map(String).join(' '), isOfSession);
    return verb === 'lock' ? '' : answer;
  });

const nullif: Make = (context, args) => {
  const known = args.map((arg) => knownType(context, arg));
  const [a, b] = known.map((arg) => coerce(context, arg, commonType(known))) as [Expr, Expr];
  return {
    type: a.type,
    run: (env) => {
      const value = a.run(env);
      return value !== null && keyOf(value) === keyOf(b.run(env)) ? null : value;
    },
  };
};

const format = (template: string, values: readonly Value[]): string => {
  let at = 0;
  return template.replaceAll(/%([sIL%])/g, (_, kind: string) => {
    if (kind === '%') return '%';
    const value = toText('text', values[at] ?? null);
    at += 1;
    if (kind === 'L') return `'${value.replaceAll("'", "''")}'`;
    return kind === 'I' && !/^[a-z_][a-z0-9_]*$/.test(value) ? `"${value}"` : value;
  });
};

const buildsObject =
  (type: 'json' | 'jsonb'): Make =>
  (context, args) => {
    const given = args.map((arg) => settled(context, arg));
    const entries = (env: Env) =>
      given.flatMap((key, at) => {
        const of = given[at + 1];
        return at % 2 === 1 || of === undefined
          ? []
          : [[toText(key.type, key.run(env)), jsonOf(of.type, of.run(env))] as const];
      });
    return { type, run: (env) => Json.of(Object.fromEntries(entries(env))) };
  };

export const scalars: Record<string, Make> = {
  now,
  transaction_timestamp: now,
  clock_timestamp: () => ({ type: 'timestamptz', run: (env) => env.run.now() }),
  statement_timestamp: () => ({ type: 'timestamptz', run: (env) => env.run.now() }),
  gen_random_uuid: () => ({ type: 'uuid', run: (env) => env.run.newId(4) }),
  uuidv7: () => ({ type: 'uuid', run: (env) => env.run.newId(7) }),
  uuidv4: () => ({ type: 'uuid', run: (env) => env.run.newId(4) }),
  nextval: strict(['text'], 'int8', (env, name) => env.run.nextval(name as string)),
  current_setting: (context, args) => {
    const [name, missing] = [coerce(context, args[0] as Expr, 'text'), args[1] && coerce(context, args[1], 'bool')];
    return {
      type: 'text',
      run: (env) => {
        const key = name.run(env) as string;
        const value = env.run.setting(key);
        if (value !== undefined || missing?.run(env) === true) return value ?? null;
        throw postgresError('42704', `unrecognized configuration parameter "${key}"`);
      },
    };
  },
  set_config: strict(['text', 'text', 'bool'], 'text', (env, name, value, isLocal) => {
    env.run.set(name as string, value as string, isLocal === true);
    return value ?? null;
  }),
  current_schema: () => ({ type: 'name', run: (env) => env.run.schema }),
  current_database: () => ({ type: 'name', run: () => 'memory' }),
  current_user: () => ({ type: 'name', run: (env) => env.run.user }),
  hashtext: strict(['text'], 'int4', (_, text) => hash(text as string)),
  pg_advisory_lock: advisory('lock', true),
  pg_advisory_xact_lock: advisory('lock', false),
  pg_try_advisory_lock: advisory('try', true),
  pg_try_advisory_xact_lock: advisory('try', false),
  pg_advisory_unlock: advisory('unlock', true),
  pg_advisory_unlock_all: () => ({ type: 'void', run: (env) => (env.run.advisory('unlock all', '', true), '') }),
  pg_notify: strict(['text', 'text'], 'void', (env, channel, payload) => {
    env.run.notify(channel as string, payload as string);
    return '';
  }),
  pg_backend_pid: () => ({ type: 'int4', run: (env) => env.run.processId }),
  pg_terminate_backend: strict(['int4'], 'bool', (env, id) => env.run.terminate(id as number)),
  make_interval: makeInterval,
  'pg_catalog.extract': extract,
  date_trunc: strict(['text', 'timestamptz'], 'timestamptz', (_, unit, time) =>
    truncate(unit as string, time as number),
  ),
  length: (context, args) => {
    const of = settled(context, args[0] as Expr);
    const size = (value: Value) => (Buffer.isBuffer(value) ? value.length : Array.from(value as string).length);
    return { type: 'int4', run: (env) => ((value) => (value === null ? null : size(value)))(of.run(env)) };
  },
  lower: strict(['text'], 'text', (_, text) => (text as string).toLowerCase()),
  upper: strict(['text'], 'text', (_, text) => (text as string).toUpperCase()),
  replace: strict(['text'], 'text', (_, text, from, to) => (text as string).replaceAll(from as string, to as string)),
  concat: (context, args) => {
    const given = args.map((arg) => cast(settled(context, arg), 'text'));
    return { type: 'text', run: (env) => given.map((each) => toText('text', each.run(env))).join('') };
  },
  format: (context, args) => {
    const given = args.map((arg) => cast(settled(context, arg), 'text'));
    return {
      type: 'text',
      run: (env) => ((all) => format(all[0] as string, all.slice(1)))(given.map((each) => each.run(env))),
    };
  },
  encode: strict(['bytea', 'text'], 'text', (_, bytes, name) =>
    (encodings[name as string] ?? notKnown(`encode ${name as string}`))(bytes as Buffer),
  ),
  convert_from: strict(['bytea', 'text'], 'text', (_, bytes) => (bytes as Buffer).toString('utf8')),
  convert_to: strict(['text', 'text'], 'bytea', (_, text) => Buffer.from(text as string)),
  cardinality: (context, args) => {
    const of = knownType(context, args[0] as Expr);
    return { type: 'int4', run: (env) => ((list) => (list === null ? null : (list as Value[]).length))(of.run(env)) };
  },
  array_length: (context, args) => {
    const of = knownType(context, args[0] as Expr);
    return {
      type: 'int4',
      run: (env) =>
        ((list) => (list === null || (list as Value[]).length === 0 ? null : (list as Value[]).length))(of.run(env)),
    };
  },
  array_to_string: (context, args) => {
    const [of, by] = [knownType(context, args[0] as Expr), coerce(context, args[1] as Expr, 'text')];
    const join = (list: Value, text: Value) =>
      (list as Value[])
        .filter((each) => each !== null)
        .map((each) => toText(elementOf(of.type), each))
        .join(text as string);
    return { type: 'text', run: (env) => ((list) => (list === null ? null : join(list, by.run(env))))(of.run(env)) };
  },
  jsonb_array_length: strict(['jsonb'], 'int4', (_, json) => {
    const { value } = json as Json;
    if (!Array.isArray(value)) throw postgresError('22023', 'cannot get array length of a non-array');
    return value.length;
  }),
  jsonb_typeof: strict(['jsonb'], 'text', (_, json) => {
    const { value } = json as Json;
    return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  }),
  json_build_object: buildsObject('json'),
  jsonb_build_object: buildsObject('jsonb'),
  row_to_json: asJson('json'),
  to_json: asJson('json'),
  to_jsonb: asJson('jsonb'),
  jsonb_pretty: strict(['jsonb'], 'text', (_, json) => jsonbText((json as Json).value)),
  greatest: extreme(1),
  least: extreme(-1),
  nullif,
  ceil: rounding(Math.ceil),
  ceiling: rounding(Math.ceil),
  floor: rounding(Math.floor),
  round: rounding((value) => Math.sign(value) * Math.round(Math.abs(value))),
  abs: (context, args) => {
    const of = knownType(context, args[0] as Expr);
    return {
      type: of.type,
      run: (env) => ((value) => (value !== null && (value as number) < 0 ? -(value as number) : value))(of.run(env)),
    };
  },
  to_timestamp: strict(['float8'], 'timestamptz', (_, seconds) => Math.round((seconds as number) * 1_000_000)),
  pg_sleep: () => notKnown('pg_sleep'),
};
