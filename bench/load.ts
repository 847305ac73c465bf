/** Customers who come one after the other (closed: how much is possible) or when they like (open: how long it takes). */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Buyers, type Purchase } from './buyer.ts';

export interface Load {
  readonly purchases: readonly Purchase[];
  /** What customers were told instead of thanks, with how often. */
  readonly failures: ReadonlyMap<string, number>;
  readonly startedAt: number;
  /** Until the last customer was thanked. */
  readonly seconds: number;
}

export async function closedLoop(links: readonly string[], customers: number, seconds: number): Promise<Load> {
  const endAt = performance.now() + seconds * 1_000;
  return run(links, async (buy) => {
    const one = async () => {
      while (performance.now() < endAt) await buy();
    };
    await Promise.all(Array.from({ length: customers }, one));
  });
}

/** Arrivals do not wait for anybody: what is slow makes a queue, and the queue is seen in the times. */
export async function openLoop(links: readonly string[], perSecond: number, seconds: number): Promise<Load> {
  return run(links, async (buy) => {
    const startedAt = performance.now();
    const all: Promise<Purchase | undefined>[] = [];
    for (let nth = 0; nth < perSecond * seconds; nth += 1) {
      const dueIn = startedAt + (nth * 1_000) / perSecond - performance.now();
      if (dueIn > 0) await sleep(dueIn);
      all.push(buy());
    }
    await Promise.all(all);
  });
}

/** One customer after the other, each when the one before is served; what they set off has come to rest by then. */
export async function sequence(
  links: readonly string[],
  times: number,
  isServed: (purchase: Purchase) => boolean,
): Promise<Load> {
  return run(links, async (buy) => {
    for (let nth = 0; nth < times; nth += 1) {
      const purchase = await buy();
      if (purchase === undefined) continue;
      const giveUpAt = Date.now() + 10_000;
      while (!isServed(purchase) && Date.now() < giveUpAt) await sleep(20);
      // The last answers of receivers are still being written down.
      await sleep(200);
    }
  });
}

async function run(
  links: readonly string[],
  drive: (buy: () => Promise<Purchase | undefined>) => Promise<void>,
): Promise<Load> {
  const buyers = new Buyers();
  const purchases: Purchase[] = [];
  const failures = new Map<string, number>();
  // An address of one's own for each purchase tells its mails apart.
  const tag = randomBytes(4).toString('hex');
  let count = 0;
  const startedAt = Date.now();
  await drive(async () => {
    count += 1;
    const link = links[count % links.length] ?? '';
    try {
      const purchase = await buyers.buy(link, `customer-${tag}-${count}@example.com`);
      purchases.push(purchase);
      return purchase;
    } catch (error) {
      const what = (error instanceof Error ? error.message : String(error)).replaceAll(/[0-9a-f]{16,}|\d{5,}/g, '…');
      failures.set(what, (failures.get(what) ?? 0) + 1);
      return undefined;
    }
  });
  const seconds = (Date.now() - startedAt) / 1_000;
  await buyers.close();
  return { purchases, failures, startedAt, seconds };
}
