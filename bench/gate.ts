/** A figure counts when every purchase was fulfilled: exactly one licence, two mails, three webhooks in order. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { CountedDatabase } from './database-counts.ts';
import type { Load } from './load.ts';
import type { Shop } from './shop.ts';

export interface Fulfilment {
  readonly isValid: boolean;
  /** In the words of the report. */
  readonly verdict: string;
  /** From the start of the load until nothing was owed any more. */
  readonly seconds: number;
  /** How much was wholly fulfilled when the last customer was thanked. */
  readonly atOnce: number;
  /** In ms after the card was sent, sorted. */
  readonly toLicence: readonly number[];
  readonly toWebhook: readonly number[];
}

const story = 'order.created order.payment.succeeded product.delivered';

/** Waits until all is there or nothing new comes; then looks once more for what came too often. */
export async function fulfilmentOf(
  load: Load,
  parts: { shop: Shop; mails: Mails; database: CountedDatabase },
): Promise<Fulfilment> {
  const { shop, mails, database } = parts;
  const events = (orderId: number) => (shop.heard.get(orderId) ?? []).map((each) => each.event).join(' ');
  const missing = () => {
    mails.read();
    return load.purchases.filter(
      ({ orderId, email }) => (shop.heard.get(orderId)?.length ?? 0) < 3 || mails.count(email) < 2,
    );
  };
  const first = missing().length;
  const giveUpAt = Date.now() + 20_000;
  while (missing().length > 0 && Date.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 50));
  const seconds = (Date.now() - load.startedAt) / 1_000;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  mails.read();
  const licences = await database.licences(load.startedAt);
  const codes = load.purchases.flatMap(({ orderId }) => (shop.heard.get(orderId) ?? []).flatMap((each) => each.codes));
  const wrong = {
    'without exactly one licence': load.purchases.filter(({ orderId }) => licences.get(orderId)?.length !== 1).length,
    'without exactly two mails': load.purchases.filter(({ email }) => mails.count(email) !== 2).length,
    'without exactly three webhooks in order': load.purchases.filter(({ orderId }) => events(orderId) !== story).length,
    'codes sold twice': codes.length - new Set(codes).size,
    'customers turned away': [...load.failures.values()].reduce((sum, times) => sum + times, 0),
  };
  const faults = Object.entries(wrong).filter(([, times]) => times !== 0);
  const { length } = load.purchases;
  return {
    isValid: faults.length === 0 && length > 0,
    verdict:
      faults.length === 0
        ? `${length} orders, all right`
        : `${length} orders; ${faults.map(([what, times]) => `${times} ${what}`).join(', ')}`,
    seconds,
    atOnce: length === 0 ? 0 : 1 - first / length,
    toLicence: sorted(load.purchases.map(({ orderId, paidAt }) => (licences.get(orderId)?.[0] ?? Number.NaN) - paidAt)),
    toWebhook: sorted(
      load.purchases.map(
        ({ orderId, paidAt }) =>
          (shop.heard.get(orderId)?.find((each) => each.event === 'order.payment.succeeded')?.at ?? Number.NaN) -
          paidAt,
      ),
    ),
  };
}

export function percentile(values: readonly number[], share: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

export const sorted = (values: readonly number[]): readonly number[] =>
  values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);

/** The mailbox's own file, read as it grows: its pages show the newest thousand only. */
export class Mails {
  readonly #path: string;
  readonly #counts = new Map<string, number>();
  #offset = 0;
  #rest = '';

  constructor(data: string) {
    this.#path = join(data, 'mail.jsonl');
  }

  read(): void {
    if (!existsSync(this.#path)) return;
    const file = openSync(this.#path, 'r');
    try {
      const fresh = Buffer.alloc(fstatSync(file).size - this.#offset);
      this.#offset += readSync(file, fresh, 0, fresh.length, this.#offset);
      const lines = (this.#rest + fresh.toString('latin1')).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        // Whole letters are long; whom they are for stands at their beginning.
        for (const [, to = ''] of (/"to":\[([^\]]*)\]/.exec(line)?.[1] ?? '').matchAll(/"([^"]+)"/g))
          this.#counts.set(to, (this.#counts.get(to) ?? 0) + 1);
      }
    } finally {
      closeSync(file);
    }
  }

  count(email: string): number {
    return this.#counts.get(email) ?? 0;
  }
}
