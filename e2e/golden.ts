/**
 * Webhooks as golden files: the bytes that were sent, with everything that is another in each run (ids, tokens, codes,
 * the seconds of what a customer did) replaced by its place. Keys and their order stay as they were sent.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { Delivered } from './webhooks.ts';

/** One line per key, as in the seed. Written when UPDATE_GOLDEN is set, else compared. */
export function expectGolden(name: string, heard: readonly Delivered[]): void {
  const file = join(import.meta.dirname, 'golden', `${name}.json`);
  const text = `${JSON.stringify(normalised(heard), undefined, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(existsSync(file), `${file} is missing; run with UPDATE_GOLDEN=1 and read what it says`).toBe(true);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

function normalised(heard: readonly Delivered[]): unknown {
  const [orders, items, codes] = [new Places(5_555_555), new Places(456_660), new Places(1)];
  const walk = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((each) => walk(each, key));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([inner, each]) => [inner, walk(each, inner)]));
    if (key === 'order_id' || key === 'previous_order_id') return value === null ? null : orders.of(Number(value));
    if (key === 'previous_order_item_id') return value === null ? null : items.of(Number(value));
    if (typeof value !== 'string') return value;
    if (key === 'order_name') return `A${String(orders.of(Number(value.slice(1)))).padStart(10, '0')}`;
    if (key === 'id' && /^\d+_\d+$/.test(value)) {
      const [order = '', item = ''] = value.split('_');
      return `${orders.of(Number(order))}_${items.of(Number(item))}`;
    }
    if (key === 'id') return '111111';
    if (key === 'activation_codes') return `CODE-${codes.of(Number.parseInt(value.slice(5, 13), 16))}`;
    if (key.endsWith('detail_url'))
      return value.replace(
        /^.*\/order\/status\/(\d+)\/[0-9a-f]{32}/,
        (_, order) => `https://shop.example/order/status/${orders.of(Number(order))}/1a97507`,
      );
    // What timers do is on time to the second; what customers do is not.
    if (key.endsWith('_date') && !value.includes('T23:59:00')) return value.replace(/T\d\d:\d\d:\d\d/, 'T--:--:--');
    return value;
  };
  return heard.map((each) => walk(JSON.parse(each.raw), ''));
}

/** Numbers by the order in which they are first seen. */
class Places {
  readonly #known = new Map<number, number>();
  readonly #first: number;

  constructor(first: number) {
    this.#first = first;
  }

  of(id: number): number {
    const place = this.#known.get(id) ?? this.#first + this.#known.size;
    this.#known.set(id, place);
    return place;
  }
}
