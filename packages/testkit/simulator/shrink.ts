/** Makes a story shorter while it still breaks the same sentence: first whole orders, then steps, then faults. */
import type { Story } from './story.ts';

// A shorter story is worth some seconds, not minutes.
const mostTries = 200;

export async function shrink(story: Story, isStillBroken: (story: Story) => Promise<boolean>): Promise<Story> {
  let shortest = story;
  const budget = { left: mostTries };
  const attempt = async (shorter: Story): Promise<boolean> => {
    if (budget.left === 0) return false;
    budget.left -= 1;
    if (!(await isStillBroken(shorter))) return false;
    shortest = shorter;
    return true;
  };
  for (let hasChanged = true; hasChanged && budget.left > 0;) {
    hasChanged = false;
    for (const shorter of [withoutOrders, withoutTwins, withoutSteps, plainer, withoutFaults]) {
      for (let nth = 0; nth < shorter(shortest).length;) {
        const next = shorter(shortest)[nth];
        if (next !== undefined && (await attempt(next))) hasChanged = true;
        else nth += 1;
      }
    }
  }
  return shortest;
}

function without<T>(list: readonly T[], at: number): readonly T[] {
  return list.toSpliced(at, 1);
}

function withoutOrders(story: Story): readonly Story[] {
  return story.orders.map((_, at) => ({ ...story, orders: without(story.orders, at) }));
}

function withoutTwins({ twice, ...story }: Story): readonly Story[] {
  return twice === undefined ? [] : [story];
}

function withoutSteps(story: Story): readonly Story[] {
  return story.orders.flatMap((order, nth) =>
    order.steps.map((_, at) => ({
      ...story,
      orders: story.orders.with(nth, { ...order, steps: without(order.steps, at) }),
    })),
  );
}

function plainer(story: Story): readonly Story[] {
  return story.orders.flatMap((order, nth) =>
    order.quantity === 1 && order.submits === 1
      ? []
      : [{ ...story, orders: story.orders.with(nth, { ...order, quantity: 1, submits: 1 }) }],
  );
}

function withoutFaults(story: Story): readonly Story[] {
  return story.faults.map((_, at) => ({ ...story, faults: without(story.faults, at) }));
}
