/**
 * Themes of histories: what is bought and done, with faults aimed where they would hurt that. Blind faults alone seldom meet
 * the few operations that matter, such as the one charge of a renewal.
 */
import { services } from '@tillstream/service/manifest';
import type { Fault, FaultKind } from './engine/faults.ts';
import type { Random } from './engine/random.ts';
import type { Card } from './outside/cards.ts';
import type { Good } from './shop.ts';
import { serviceNames, type ServiceName } from './product.ts';
import type { Order, Step } from './story.ts';

interface Aim {
  readonly on: readonly string[];
  readonly kinds: readonly FaultKind[];
  /** Of delays; absent = any of the usual. */
  readonly ms?: readonly number[];
  /** Only after an operation that begins so: what comes of it is meant. */
  readonly after?: string;
}

interface Theme {
  /** How many orders; absent = as in any story. */
  readonly orders?: number;
  /** Absent = as in any story. */
  readonly tell?: (random: Random) => Order;
  readonly aims: readonly Aim[];
  /** Whether it is always about customers of both shops. */
  readonly shops?: 'both';
  /** What such a history often has two processes of. */
  readonly twice?: readonly ServiceName[];
}

// Shorter than the pauses of the relays, and longer than what others need to overtake.
const delaysMs = [80, 600, 6_000];
const groups = services.filter(({ hears }) => hears.length > 0).map(({ name }) => name);
const unanswered: readonly FaultKind[] = [
  'lost after',
  'lost after',
  'lost before',
  'refused',
  'crash after',
  'crash before',
];
const commits = ['order commit', 'payment commit', 'fulfillment commit', 'subscription commit'];
const payStep: Step = { do: 'pay', card: 'pays' };
// Long enough for a customer to do something at a page.
const waitsMs = [3_000, 10_000];
// The order of a renewal is given its number.
const childIsMade = "select nextval('order_number') as order_id";
const pageIsClosed = 'provider POST /v1/payments//withdraw';
// Somebody has a pool in hand, and is about to look at its codes.
const poolIsLocked = 'select merchant_id, product_id, available from pool';
const withPool = ['fulfillment select wanted.merchant_id', 'fulfillment commit'];
const newsOfChild = ['order commit', 'order publish', 'deliver to subscription'];
const newsOfCharge = ['subscription publish', 'deliver to payment'];
const of = (what: string) => groups.map((group) => `${what} ${group}`);

export const themes = {
  any: { aims: [] },
  /** Renewals are charged, and the answer does not come. */
  charges: { orders: 1, tell: tellRenewals, aims: [{ on: ['provider POST /v1/charges'], kinds: unanswered }] },
  /** Pages are opened, and left, and opened again. */
  pages: {
    tell: tellPages,
    twice: ['payment'],
    aims: [
      { on: ['provider POST'], kinds: unanswered },
      // A page that comes when others have waited for half an hour.
      { on: ['provider POST /v1/payments'], kinds: ['delay'], ms: waitsMs },
      // It has closed a page, and who asked for that does not hear of it.
      { on: [pageIsClosed], kinds: unanswered },
    ],
  },
  /** Many at once: who wrote first commits last. */
  crowd: {
    orders: 3,
    tell: tellQuick,
    aims: [
      { on: commits, kinds: ['delay'] },
      { on: [...commits, 'publish'], kinds: ['delay'] },
    ],
  },
  /** Messages come again. */
  again: {
    aims: [
      { on: of('offsets of'), kinds: ['crash before', 'rewind', 'lost before'] },
      { on: of('deliver to'), kinds: ['zombie'] },
      { on: ['publish', 'with marked as'], kinds: ['doubled', 'lost after', 'crash after', 'crash before'] },
    ],
  },
  /** Processes end at the edges of their commits. */
  edges: {
    aims: [
      { on: ['commit'], kinds: ['crash after', 'crash before', 'lost after'] },
      { on: ['commit', 'publish', 'with marked as'], kinds: ['crash after', 'crash before', 'lost after'] },
    ],
  },
  /** Programs of merchants make things at the public API, and do not know whether they have. */
  programs: {
    orders: 2,
    shops: 'both',
    tell: tellPrograms,
    twice: ['gateway'],
    aims: [
      { on: ['gateway', 'request', 'response'], kinds: ['crash after', 'crash before', 'lost after', 'lost before'] },
      { on: ['gateway', 'request', 'response'], kinds: ['crash after', 'lost after', 'doubled', 'delay'] },
      // What was asked for is done, and nobody remembers what was answered.
      { on: ['gateway update "answer"'], kinds: ['crash before'] },
    ],
  },
  /** The same customers, goods and names, at two merchants. */
  neighbours: {
    orders: 3,
    shops: 'both',
    aims: [{ on: ['insert into inbox', 'call', 'answer'], kinds: ['lost after', 'crash after', 'delay'] }],
  },
  /** There are fewer codes than are paid for, and more come in at that moment. */
  scarce: {
    orders: 3,
    tell: tellScarce,
    twice: ['fulfillment'],
    aims: [
      { on: withPool, kinds: ['delay'], ms: waitsMs, after: poolIsLocked },
      {
        on: ['fulfillment commit', 'deliver to fulfillment'],
        kinds: ['delay', 'zombie', 'crash before', 'crash after'],
      },
    ],
  },
  /** A subscription is cancelled while its renewal is on its way. */
  'late cancels': {
    orders: 1,
    tell: tellLateCancel,
    aims: [{ on: newsOfChild, kinds: ['delay'], ms: waitsMs, after: childIsMade }],
  },
  /** The order of a renewal is paid by hand while it is about to be charged. */
  'renewals by hand': {
    orders: 1,
    tell: tellRenewalByHand,
    aims: [{ on: newsOfCharge, kinds: ['delay'], ms: waitsMs, after: childIsMade }],
  },
  /** What is being handled fails in the middle. */
  broken: {
    aims: [
      { on: ['insert into inbox'], kinds: ['lost before', 'lost after', 'crash after'] },
      { on: ['insert into inbox', 'call', 'answer'], kinds: ['lost before', 'lost after'] },
    ],
  },
  /** Receivers, mail servers and callbacks do not answer, or twice. */
  outside: {
    aims: [
      {
        on: ['webhook', 'callback'],
        kinds: ['lost after', 'lost before', 'refused', 'doubled', 'crash after', 'delay'],
      },
      { on: ['send mail'], kinds: ['lost after', 'lost before', 'refused', 'crash after', 'crash before'] },
    ],
  },
} satisfies Record<string, Theme>;

export type ThemeName = keyof typeof themes;
const names = Object.keys(themes).filter((name): name is ThemeName => name in themes);

/** Half of all histories have none. */
export function drawTheme(random: Random): ThemeName {
  return random.chance(0.4) ? 'any' : random.pick(names);
}

export function themeNamed(name: ThemeName): Theme {
  return themes[name];
}

/** At least one for each aim now and then, from near the beginning: what is aimed at is seldom. */
export function aimedFaults({ aims }: Theme, random: Random, reach: number): readonly Fault[] {
  return aims.flatMap(({ on, kinds, ms = delaysMs, after }) =>
    Array.from({ length: 1 + random.below(2) }, (): Fault => {
      const at = after !== undefined || random.chance(0.4) ? 0 : random.below(reach);
      const fault = { at, kind: random.pick(kinds), on: random.pick(on), ...(after === undefined ? {} : { after }) };
      return fault.kind === 'delay' ? { ...fault, ms: random.pick(ms) } : fault;
    }),
  );
}

/** Undefined = each service has one process. */
export function drawTwice({ twice }: Theme, random: Random): readonly ServiceName[] | undefined {
  const many = twice ?? serviceNames;
  return random.chance(twice === undefined ? 0.1 : 0.8) ? [random.pick(many)] : undefined;
}

function tellRenewals(random: Random): Order {
  const card = random.pick<Card>(['pays', 'pays', 'silently pays', 'pays once', 'strong']);
  const steps: Step[] = [{ do: 'pay', card }];
  steps.push({ do: 'advance', by: random.pick(['P1M', 'P1M', 'P2M']) });
  if (random.chance(0.4)) steps.push({ do: 'advance', by: random.pick(['P1D', 'P20D']) });
  if (random.chance(0.2)) steps.push({ do: random.pick(['cancel', 'merchant cancels', 'come back']) });
  return { good: random.pick(['monthly', 'monthly', 'trial']), quantity: 1, submits: 1, autoRenew: true, steps };
}

function tellPages(random: Random): Order {
  const steps: Step[] = [];
  // While others are on their way to their pages: these expire before they come.
  if (random.chance(0.3)) steps.push({ do: 'wait', seconds: 1_900 });
  if (random.chance(0.5)) steps.push({ do: 'look at card page' });
  if (random.chance(0.4)) steps.push({ do: 'withdraw payment' });
  if (random.chance(0.3)) steps.push({ do: 'wait', seconds: random.pick([60, 1_900]) });
  const card = random.pick<Card>(['pays', 'pays', 'strong', 'silently pays', 'declined']);
  steps.push(
    random.chance(0.4) ? { do: 'pay twice', card, other: random.pick<Card>(['pays', 'strong']) } : { do: 'pay', card },
  );
  if (random.chance(0.4)) steps.push({ do: 'come back' });
  return { good: random.pick(['single', 'by product', 'monthly']), quantity: 1, submits: 1, autoRenew: true, steps };
}

function tellScarce(random: Random): Order {
  const steps: Step[] = [{ do: 'pay', card: 'pays' }];
  if (random.chance(0.5)) steps.splice(random.below(2), 0, { do: 'add codes', count: random.pick([1, 2, 3]) });
  if (random.chance(0.3)) steps.push({ do: 'add codes', count: 4 });
  steps.push({ do: 'stay', seconds: random.pick([3, 6]) });
  return { good: 'single', quantity: random.pick([5, 5, 7, 8]), submits: 1, autoRenew: false, steps };
}

function tellLateCancel(random: Random): Order {
  const steps: Step[] = [{ do: 'pay', card: random.pick<Card>(['pays', 'silently pays', 'pays once']) }];
  steps.push({ do: 'cancel during advance', by: random.pick(['P20D', 'P1M', 'P2M']), seconds: random.below(100) / 10 });
  if (random.chance(0.3)) steps.push({ do: 'restore' });
  if (random.chance(0.4)) steps.push({ do: 'advance', by: 'P1M' });
  return { good: random.pick(['monthly', 'monthly', 'trial']), quantity: 1, submits: 1, autoRenew: true, steps };
}

function tellRenewalByHand(random: Random): Order {
  const good = random.pick<Good>(['monthly', 'monthly', 'trial']);
  const card = random.pick<Card>(['pays', 'pays', 'strong', 'silently pays']);
  const steps: Step[] = [
    { do: 'pay', card: random.pick<Card>(['pays', 'pays', 'pays once']) },
    { do: 'pay renewal during advance', by: random.pick(['P29D', 'P1M']), seconds: random.below(20) / 10, card },
  ];
  if (random.chance(0.3)) steps.push({ do: 'advance', by: 'P1M' });
  return { good, quantity: 1, submits: 1, autoRenew: true, steps };
}

function tellPrograms(random: Random): Order {
  const posts = Array.from({ length: random.pick([1, 2]) }, () => ({
    do: 'merchant posts' as const,
    what: random.pick(['product', 'product', 'api key', 'codes', 'licences', 'licences'] as const),
    times: random.pick([1, 1, 2, 3]),
    isChanged: random.chance(0.5),
  }));
  // Licences are sent again of what is paid and delivered.
  const isSold = posts.some(({ what }) => what === 'licences') && random.chance(0.9);
  const sold: readonly Step[] = isSold ? [payStep, { do: 'stay', seconds: 2 }] : [];
  return { good: 'single', quantity: 1, submits: 1, autoRenew: false, steps: [...sold, ...posts] };
}

function tellQuick(random: Random): Order {
  const quantity = random.pick([1, 1, 2]);
  return {
    good: random.pick(['single', 'by product']),
    quantity,
    submits: 1,
    autoRenew: false,
    steps: [payStep],
  };
}
