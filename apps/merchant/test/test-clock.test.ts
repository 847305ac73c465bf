import { randomUUID } from 'node:crypto';
import { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { TestClockApiService } from '@tillstream/proto/merchant/v1/test_clock_api';
import { implement } from '@tillstream/rpc/server';
import { standIn, startApp, type StartedApp } from '@tillstream/testkit/app';
import { turnableClock } from '@tillstream/testkit/clock';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { home, merchantApp, type MerchantTables } from '../src/app.ts';

const day = 86_400_000;

/** A service in which something is due: what it does takes a moment, and may make the other one do something. */
class Service {
  readonly name: string;
  readonly due: { at: number; name: string; after?: () => void }[] = [];
  readonly lived: { name: string; at: number }[] = [];
  readonly firings: { dueAt: Date; source: string; kind: string; objectId: string }[] = [];
  at = 0;
  sequence = 0n;
  isStanding = false;
  said = 0n;
  busy = 0;
  isAway = false;
  isStuck = false;
  /** What it does while it is asked, before it answers. */
  whileAsked: (() => Promise<void>) | undefined;
  /** Whether it answers this call that sets its clock, the so-manyth. */
  isThere: ((call: number) => boolean) | undefined;
  calls = 0;
  started: StartedApp | undefined;

  constructor(name: string) {
    this.name = name;
  }

  async start(): Promise<void> {
    const away = () => {
      if (this.isAway) throw new Error('away');
    };
    this.started = await standIn(
      implement(ClockApiService, {
        setClock: async ({ sequence, at, isStanding, isWall }) => {
          away();
          this.calls += 1;
          if (this.isThere?.(this.calls) === false) throw new Error('away');
          if (sequence <= this.sequence) return {};
          this.sequence = sequence;
          this.at = isWall ? Date.now() : (at?.getTime() ?? 0);
          this.isStanding = isStanding;
          this.live();
          return {};
        },
        readWork: async ({ sinceSequence }) => {
          away();
          await this.whileAsked?.();
          const next = Math.min(...this.due.map((each) => each.at).filter((at) => at > this.at));
          return {
            busy: this.busy > 0 || this.isStuck ? [{ what: 'timers', count: 1 }] : [],
            stuck: [],
            nextDueAt: Number.isFinite(next) ? new Date(next) : undefined,
            nextDue: [],
            fired: sinceSequence === 0n ? [] : this.firings,
            said: this.said,
            isHearingDone: true,
          };
        },
      }),
    );
  }

  live(): void {
    for (const each of this.due.filter((one) => one.at <= this.at)) {
      this.due.splice(this.due.indexOf(each), 1);
      this.busy += 1;
      setTimeout(() => {
        this.lived.push({ name: each.name, at: this.at });
        this.firings.push({ dueAt: new Date(each.at), source: this.name, kind: each.name, objectId: '' });
        this.said += 1n;
        each.after?.();
        this.busy -= 1;
      }, 15);
    }
  }
}

let database: TestDatabase;
let app: StartedApp;
let orders: Service;
let mails: Service;
const apps: StartedApp[] = [];

const start = async (): Promise<StartedApp> => {
  const travellers = Object.fromEntries(
    [orders, mails].flatMap((each) =>
      each.started === undefined ? [] : [[each.name, each.started.client(ClockApiService)]],
    ),
  );
  const started = await startApp(
    merchantApp({
      database: database.open<MerchantTables>(),
      clock: turnableClock(),
      log: quietLog(),
      config: { KEY_PEPPER: 'p'.repeat(32) },
      travellers,
    }),
  );
  apps.push(started);
  return started;
};

beforeAll(async () => {
  database = await testDatabase(home);
});
beforeEach(async () => {
  await Promise.all(apps.splice(0).map((each) => each.stop()));
  [orders, mails] = [new Service('order'), new Service('notification')];
  await Promise.all([orders.start(), mails.start()]);
  app = await start();
});
afterAll(async () => {
  await Promise.all(apps.map((each) => each.stop()));
  await database.drop();
});

const openShop = () =>
  app
    .client(MerchantApiService)
    .createAccount({ accountName: randomUUID(), shopName: 'Shop', supportEmail: 'a@example.com' });
const begin = (merchantId: string, by: string, requestId = '') =>
  app.client(TestClockApiService).beginAdvance({ merchantId, to: undefined, by, requestId });
const read = async (merchantId: string) => {
  const { clock } = await app.client(TestClockApiService).getTestClock({ merchantId });
  if (clock === undefined) throw new Error('no clock');
  return clock;
};
const done = (merchantId: string) =>
  eventually(async () => {
    const clock = await read(merchantId);
    return clock.advance?.status === 'done' ? clock : undefined;
  });

it('goes on though services are never all there at the same moment to hear of a step', async () => {
  const { testMerchantId: merchant } = await openShop();
  orders.isThere = (call) => call % 2 === 1;
  mails.isThere = (call) => call % 2 === 0;
  orders.due.push({ at: Date.now() + day, name: 'charge' });
  await begin(merchant, 'P2D');
  await eventually(() => orders.lived.length === 1);
  orders.isThere = undefined;
  mails.isThere = undefined;
  expect((await done(merchant)).advance?.firedCount).toBe(1);
});

it('lets everything happen at its time, in the order of the times, over all services, with what follows from it', async () => {
  const { testMerchantId: merchant } = await openShop();
  const now = Date.now();
  mails.due.push({ at: now + 2 * day, name: 'reminder' }, { at: now + 9 * day, name: 'too late' });
  orders.due.push({
    at: now + day,
    name: 'charge',
    // What happens makes the other service do something at once and this one something later.
    after: () => {
      mails.due.push({ at: orders.at, name: 'receipt' });
      mails.live();
      orders.due.push({ at: orders.at + 3 * day, name: 'next charge' });
    },
  });
  await begin(merchant, 'P7D');
  const clock = await done(merchant);
  expect(clock.advance?.fired.map((each) => [each.source, each.kind])).toEqual([
    ['order', 'charge'],
    ['notification', 'receipt'],
    ['notification', 'reminder'],
    ['order', 'next charge'],
  ]);
  expect(mails.lived.map((each) => each.at)).toEqual([now + day, now + 2 * day]);
  expect(orders.lived.map((each) => each.at)).toEqual([now + day, now + 4 * day]);
  expect(clock.status).toBe('ahead');
  // It runs on from the target, in every service.
  expect(Math.abs((clock.now?.getTime() ?? 0) - now - 7 * day)).toBeLessThan(60_000);
  expect([orders.isStanding, mails.isStanding]).toEqual([false, false]);
  expect(orders.at).toBeGreaterThanOrEqual(clock.advance?.to?.getTime() ?? 0);
});

it('is not taken in by answers that were all quiet at different moments', async () => {
  const { testMerchantId: merchant } = await openShop();
  const now = Date.now();
  mails.due.push({ at: now + day, name: 'charge' }, { at: now + 2 * day, name: 'reminder' });
  // The other one has answered that it has nothing to do; then this one gives it something, says so, and has nothing itself.
  let quiet = 0;
  mails.whileAsked = async () => {
    if (mails.lived.length === 1 && mails.busy === 0) quiet += 1;
    // At first only who was busy is asked; then both are.
    if (quiet < 2) return;
    mails.whileAsked = undefined;
    await new Promise((resolve) => setTimeout(resolve, 30));
    mails.said += 1n;
    orders.due.push({ at: mails.at, name: 'delivery' });
    orders.live();
  };
  await begin(merchant, 'P7D');
  await done(merchant);
  expect(orders.lived).toEqual([{ name: 'delivery', at: now + day }]);
});

it('a second advance begins where the first ended; two at once have one winner; a repetition is the same advance', async () => {
  const { testMerchantId: merchant } = await openShop();
  orders.due.push({ at: Date.now() + day, name: 'charge' });
  // The first must not be over before the last is asked for.
  orders.isStuck = true;
  const asked = await Promise.allSettled([begin(merchant, 'P2D'), begin(merchant, 'P2D'), begin(merchant, 'P3D')]);
  const lost = asked.filter((each) => each.status === 'rejected');
  expect(lost.map((each) => each.reason)).toMatchObject([{ code: 'test_clock_busy' }, { code: 'test_clock_busy' }]);
  orders.isStuck = false;
  const first = await done(merchant);
  const requestId = randomUUID();
  await begin(merchant, 'P1D', requestId);
  const second = await done(merchant);
  expect(second.advance?.id).not.toBe(first.advance?.id);
  expect(second.advance?.from?.getTime()).toBeGreaterThanOrEqual(first.advance?.to?.getTime() ?? 0);
  await begin(merchant, 'P1D', requestId);
  expect((await read(merchant)).advance?.id).toBe(second.advance?.id);
});

it('goes on where a crash left it, and nothing is lived twice', async () => {
  const { testMerchantId: merchant } = await openShop();
  const now = Date.now();
  for (let at = 1; at <= 5; at += 1) orders.due.push({ at: now + at * day, name: `charge ${at}` });
  await begin(merchant, 'P6D');
  await eventually(() => orders.lived.length >= 2);
  await Promise.all(apps.splice(0).map((each) => each.stop()));
  const before = orders.lived.length;
  expect(before).toBeLessThan(5);
  await database.admin.query(`update merchant.clock_advance set leased_until = now() - interval '1 second'`);
  app = await start();
  await done(merchant);
  expect(orders.lived.map((each) => each.name)).toEqual([1, 2, 3, 4, 5].map((at) => `charge ${at}`));
});

it('says what it waits for while a service is away or does not come to an end, and goes on by itself', async () => {
  const { testMerchantId: merchant } = await openShop();
  orders.due.push({ at: Date.now() + day, name: 'charge' });
  mails.isAway = true;
  await begin(merchant, 'P2D');
  const waiting = await eventually(async () => {
    const clock = await read(merchant);
    return clock.advance?.status === 'waiting' ? clock : undefined;
  });
  expect(waiting.status).toBe('advancing');
  expect(waiting.advance?.waitingFor).toMatchObject([{ what: 'service_unreachable' }]);
  await expect(begin(merchant, 'P1D')).rejects.toMatchObject({ code: 'test_clock_busy' });
  await expect(app.client(TestClockApiService).resetTestClock({ merchantId: merchant })).rejects.toMatchObject({
    code: 'test_clock_busy',
  });
  mails.isAway = false;
  await done(merchant);
  expect(orders.lived).toHaveLength(1);
});

it('goes back to the wall, and only from there', async () => {
  const { testMerchantId: merchant } = await openShop();
  expect(await read(merchant)).toMatchObject({ status: 'wall', advance: undefined });
  await begin(merchant, 'P30D');
  await done(merchant);
  await app.client(TestClockApiService).resetTestClock({ merchantId: merchant });
  const clock = await read(merchant);
  expect(clock.status).toBe('wall');
  expect(Math.abs((clock.now?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  await eventually(() => Math.abs(orders.at - Date.now()) < 60_000);
});

it('moves no live clock, no foreign clock, not by nothing, not back and not too far', async () => {
  const { testMerchantId: merchant, liveMerchantId } = await openShop();
  await expect(begin(liveMerchantId, 'P1D')).rejects.toMatchObject({ code: 'test_mode_only' });
  await expect(begin(randomUUID(), 'P1D')).rejects.toMatchObject({ code: 'merchant_not_found' });
  await expect(begin(merchant, 'P0D')).rejects.toMatchObject({ code: 'clock_cannot_go_back', param: 'by' });
  await expect(begin(merchant, '-P1D')).rejects.toMatchObject({ code: 'clock_cannot_go_back' });
  await expect(begin(merchant, 'P1000Y')).rejects.toMatchObject({ code: 'clock_too_far' });
  await expect(begin(merchant, 'soon')).rejects.toMatchObject({ code: 'invalid_field', param: 'by' });
  expect(await read(merchant)).toMatchObject({ status: 'wall', advance: undefined });
  expect(orders.sequence).toBe(0n);
});
