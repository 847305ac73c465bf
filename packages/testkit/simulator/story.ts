/** A history before it happens: who buys what and how, what operators do, and what goes wrong. Plain data, so that it can be kept and made shorter. */
import { faultKinds, type Fault } from './engine/faults.ts';
import { Random } from './engine/random.ts';
import type { Card } from './outside/cards.ts';
import type { ServiceName } from './product.ts';
import type { Good, ShopName } from './shop.ts';
import { aimedFaults, drawTheme, drawTwice, themeNamed, type ThemeName } from './themes.ts';

export type Step =
  /** At the provider's page with this card. */
  | { readonly do: 'pay'; readonly card: Card }
  /** In two windows at once. */
  | { readonly do: 'pay twice'; readonly card: Card; readonly other: Card }
  /** Goes to the provider's page, and no further. */
  | { readonly do: 'look at card page' }
  | { readonly do: 'by transfer' }
  /** A transfer is begun, and before it arrives a card is tried; the transfer arrives after all, or not. */
  | { readonly do: 'transfer and card'; readonly card: Card; readonly arrives: boolean }
  /** Comes back to the page of the order and looks. */
  | { readonly do: 'come back' }
  /** Looks on while everybody works: faults end with the last who is there. */
  | { readonly do: 'stay'; readonly seconds: number }
  | { readonly do: 'cancel' }
  | { readonly do: 'restore' }
  /** A program of the merchant's, at the public API: with one key, so many times at once, and then with another content. */
  | {
      readonly do: 'merchant posts';
      readonly what: 'product' | 'api key' | 'codes' | 'licences';
      readonly times: number;
      readonly isChanged: boolean;
    }
  /** The merchant's people. */
  | { readonly do: 'withdraw payment' }
  | { readonly do: 'resend licences' }
  | { readonly do: 'delete order' }
  /** So many more codes of what was ordered. */
  | { readonly do: 'add codes'; readonly count: number }
  | { readonly do: 'merchant cancels' }
  | { readonly do: 'merchant restores' }
  /** Two of them at once. */
  | { readonly do: 'cancel against restore' }
  /** Time goes by for everybody; or the merchant's test clock is led on. */
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'advance'; readonly by: string }
  /** Both: the customer cancels so many seconds after the clock began to be led on. */
  | { readonly do: 'cancel during advance'; readonly by: string; readonly seconds: number }
  /** The customer asks for the link to the order of a renewal and pays it by hand, while it may be charged. */
  | { readonly do: 'pay renewal during advance'; readonly by: string; readonly seconds: number; readonly card: Card };

export interface Order {
  /** Absent = at the first of the two. */
  readonly shop?: ShopName;
  readonly good: Good;
  readonly quantity: number;
  /** The form is sent so many times at once. */
  readonly submits: number;
  readonly autoRenew: boolean;
  readonly steps: readonly Step[];
}

export interface Story {
  readonly seed: number;
  readonly orders: readonly Order[];
  readonly faults: readonly Fault[];
  /** Services that run in two processes, as they do beyond one machine. */
  readonly twice?: readonly ServiceName[];
}

const goodsAndWeights: readonly Good[] = ['single', 'single', 'by product', 'monthly', 'monthly', 'trial', 'by hand'];
const paying: readonly Card[] = ['pays', 'pays', 'pays', 'strong', 'silently pays', 'pays once'];
const notPaying: readonly Card[] = ['declined', 'poor', 'silently declined'];

const outside = ['provider', 'webhook', 'send mail', 'callback', 'publish', 'deliver', 'offsets of'];

/** What the history of a seed is about. */
export function themeOf(seed: number): ThemeName {
  return drawTheme(new Random(seed, 4));
}

/** The story of a seed. */
export function tellStory(seed: number): Story {
  const random = new Random(seed, 3);
  const theme = themeNamed(themeOf(seed));
  const count = theme.orders ?? random.pick([1, 1, 2, 2, 3]);
  const told = Array.from({ length: count }, () => theme.tell?.(random) ?? tellOrder(random));
  const isShared = random.chance(theme.shops === 'both' ? 1 : 0.3);
  const orders = isShared
    ? told.map((order, at) => (at % 2 === 0 ? order : { ...order, shop: 'other' as const }))
    : told;
  // A history without faults now and then: what cannot even do the simple thing is found there.
  // Roughly as many operations as such a story has; what comes later than its end strikes nobody.
  const reach = 150 + 250 * count;
  const isCalm = random.chance(0.15);
  const aimed = isCalm ? [] : aimedFaults(theme, random, reach);
  // Those that are aimed do not need as many others.
  const many = isCalm ? 0 : aimed.length > 0 ? random.below(3) : 1 + random.below(6);
  const blind = Array.from({ length: many }, (): Fault => {
    const fault = { at: random.below(reach), kind: random.pick(faultKinds) };
    // Statements are many; what leaves the house is seldom, and matters more.
    return random.chance(0.35) ? { ...fault, on: random.pick(outside) } : fault;
  });
  const faults = [...aimed, ...blind].toSorted((a, b) => a.at - b.at);
  const twice = drawTwice(theme, random);
  return { seed, orders, faults, ...(twice === undefined ? {} : { twice }) };
}

function tellOrder(random: Random): Order {
  const good = random.pick(goodsAndWeights);
  const steps: Step[] = [];
  if (random.chance(0.25)) steps.push(beforePaying(random));
  if (random.chance(0.15)) steps.push({ do: 'pay', card: random.pick(notPaying) });
  const card = random.chance(0.85) ? random.pick(paying) : random.pick(notPaying);
  steps.push(
    random.chance(0.2)
      ? { do: 'pay twice', card, other: random.pick(paying) }
      : random.chance(0.9) || good === 'trial'
        ? { do: 'pay', card }
        : random.chance(0.5)
          ? { do: 'by transfer' }
          : { do: 'transfer and card', card, arrives: random.chance(0.5) },
  );
  if (random.chance(0.4)) steps.push({ do: 'come back' });
  if (random.chance(0.3)) steps.push({ do: 'stay', seconds: random.pick([2, 5]) });
  if (random.chance(0.15)) steps.push({ do: 'resend licences' });
  if (good === 'monthly' || good === 'trial' || good === 'by hand') {
    if (random.chance(0.25)) steps.push({ do: 'advance', by: random.pick(['P1M', 'P20D', 'P2M']) });
    if (random.chance(0.3)) steps.push({ do: random.pick(['cancel', 'merchant cancels', 'cancel against restore']) });
    if (random.chance(0.2)) steps.push({ do: random.pick(['restore', 'merchant restores']) });
    if (random.chance(0.1)) steps.push({ do: 'advance', by: 'P1M' });
  }
  return {
    good,
    quantity: random.pick([1, 1, 2, 3]),
    submits: random.chance(0.2) ? 2 : 1,
    autoRenew: random.chance(0.8) || good === 'trial',
    steps,
  };
}

function beforePaying(random: Random): Step {
  return random.pick<Step>([
    { do: 'look at card page' },
    { do: 'withdraw payment' },
    { do: 'delete order' },
    { do: 'wait', seconds: random.pick([60, 1_900, 90_000]) },
    { do: 'come back' },
  ]);
}
