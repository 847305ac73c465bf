/** Values for a schema of the document: valid ones, at the edges, and spoilt ones. */
import type { Schema } from './document.ts';
import type { Dice } from './dice.ts';

/** What a schema cannot say. A string field that is refused as it comes needs a row here. */
const knownWords: Readonly<Record<string, readonly string[]>> = {
  currency: ['EUR', 'USD', 'JPY'],
  currencies: ['EUR', 'USD', 'CZK'],
  time_zone: ['UTC', 'Europe/Prague'],
  locale: ['en', 'de'],
  email: ['help@shop.example'],
  url: ['https://shop.example/help'],
  terms_url: ['https://shop.example/terms'],
  privacy_url: ['https://shop.example/privacy'],
  image_url: ['https://shop.example/quill.png'],
  period: ['P1Y', 'P1M', 'P30D'],
  unpaid_order_reminders: ['PT12H'],
  by: ['PT1M', 'PT30M'],
  seed: ['a-secret-of-the-seed'],
};

/** Valid, if the schema says all there is to know. */
export function sample(schema: Schema, dice: Dice, name = ''): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return dice.pick(schema.enum);
  if (schema.anyOf !== undefined) return sample(dice.pick(schema.anyOf), dice, name);
  switch (schema.type) {
    case 'object':
      return sampleObject(schema, dice);
    case 'array': {
      const least = schema.minItems ?? 0;
      const count = Math.min(schema.maxItems ?? 3, least + dice.below(3));
      const items = Array.from({ length: count }, () => sample(schema.items ?? { type: 'string' }, dice, name));
      // What is listed is meant to differ: currencies, prices by currency, scopes.
      const seen = new Set<string>();
      return items.filter((item) => {
        const key = distinguishing(item);
        return !seen.has(key) && seen.add(key) !== undefined;
      });
    }
    case 'integer':
    case 'number': {
      const least = schema.minimum ?? 0;
      const most = Math.min(schema.maximum ?? least + 1_000, least + 100_000);
      return least + dice.below(most - least + 1);
    }
    case 'boolean':
      return dice.chance(0.5);
    case 'null':
      return null;
    case 'string':
      return sampleText(schema, dice, name);
    case undefined:
      return 'anything';
  }
}

function distinguishing(item: unknown): string {
  if (typeof item === 'object' && item !== null && 'currency' in item) return String(item.currency);
  return JSON.stringify(item);
}

function sampleObject(schema: Schema, dice: Dice): Record<string, unknown> {
  const required = new Set(schema.required);
  const names = Object.keys(schema.properties ?? {});
  let chosen = names.filter((name) => required.has(name) || dice.chance(0.5));
  const { minProperties = 0, maxProperties = Infinity } = schema;
  if (chosen.length > maxProperties || chosen.length < minProperties)
    chosen = names.slice(0, Math.max(minProperties, 1)).filter((_, at) => at < maxProperties);
  const made = chosen.map((name) => [name, sample(schema.properties?.[name] ?? {}, dice, name)] as const);
  if (names.length === 0 && typeof schema.additionalProperties === 'object')
    return { [`key-${dice.below(9)}`]: sample(schema.additionalProperties, dice) };
  return Object.fromEntries(made);
}

function sampleText(schema: Schema, dice: Dice, name: string): string {
  const known = knownWords[name];
  if (known !== undefined && (schema.maxLength ?? 999) >= 1) return dice.pick(known);
  if (schema.examples !== undefined) return String(dice.pick(schema.examples));
  if (schema.format === 'date-time') return new Date(Date.UTC(2040, dice.below(12), 1 + dice.below(28))).toISOString();
  const [least, most] = [schema.minLength ?? 0, Math.min(schema.maxLength ?? 20, 20)];
  return 'Quill & Söhne – 羽'.repeat(2).slice(0, Math.max(least, dice.below(most + 1)));
}

const hostileTexts = [
  '',
  ' ',
  '\0',
  '\ud800',
  'a\r\nset-cookie: x=1',
  '<script>alert(1)</script>',
  '{{7*7}}${7*7}<%= 7 %>',
  "' or 1=1; --",
  '../../etc/passwd',
  '\u202eabc\u202c',
  '\u001b[31mred',
  '%00%0a',
  '__proto__',
  'constructor',
  'null',
  'true',
  '9007199254740993',
  '-1',
  '1e400',
  '0x10',
  'P1Y'.repeat(40),
  'x'.repeat(5_000),
  '𝔘'.repeat(300),
  '2026-02-30T25:61:00Z',
  'PT-5M',
  'P99999999Y',
  'whsec_',
  'http://[::1',
];

const hostileNumbers = [0, -0, -1, 1.5, 1e21, 2 ** 31, 2 ** 31 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 63), 1e308, 0.1 + 0.2];

/** Something that is very likely not wanted. */
export function hostile(dice: Dice): unknown {
  switch (dice.below(8)) {
    case 0:
      return null;
    case 1:
      return dice.chance(0.5);
    case 2:
      return dice.pick(hostileNumbers);
    case 3:
      return [];
    case 4:
      return {};
    case 5:
      return Array.from({ length: 1 + dice.below(60) }, () => dice.pick(hostileTexts));
    case 6:
      return { [dice.pick(hostileTexts)]: dice.pick(hostileTexts) };
    default:
      return dice.pick(hostileTexts);
  }
}

export function hostileText(dice: Dice): string {
  return dice.pick(hostileTexts);
}

/** One thing in it is changed: a value, a missing field, a field more, a value at the edge of its schema or beyond it. */
export function spoil(value: unknown, dice: Dice): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0 || dice.chance(0.2)) return hostile(dice);
    if (dice.chance(0.1)) return Array.from({ length: 40 }, () => value[0]);
    const at = dice.below(value.length);
    return value.map((item, each) => (each === at ? spoil(item, dice) : item));
  }
  if (typeof value !== 'object' || value === null)
    return typeof value === 'number' ? beside(value, dice) : hostile(dice);
  const names = Object.keys(value);
  if (names.length === 0 || dice.chance(0.1)) return hostile(dice);
  const fields: Record<string, unknown> = Object.fromEntries(Object.entries(value));
  const name = dice.pick(names);
  switch (dice.below(5)) {
    case 0:
      delete fields[name];
      return fields;
    case 1:
      return { ...fields, [hostileText(dice)]: hostile(dice) };
    default:
      return { ...fields, [name]: spoil(fields[name], dice) };
  }
}

function beside(value: number, dice: Dice): unknown {
  return dice.pick<unknown>([
    String(value),
    -value,
    value + 0.5,
    value * 1e15,
    dice.pick(hostileNumbers),
    hostile(dice),
  ]);
}
