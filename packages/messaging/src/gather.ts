/**
 * Group commit: what is asked in the same turn of the event loop goes together, and what is asked while a batch is under way
 * goes together in the next one. When nothing is under way nobody waits for longer than the turn. A batch that fails is tried
 * again call by call, so that a bad one harms only itself.
 */
import { codeOf } from '@tillstream/database/database';
import { isOutage } from './outage.ts';

// Who waits beside a crowd waits for one such batch of it. More would be cheaper for 128 buyers at once (bench/README.md).
const mostItems = 64;
// A batch that waits for somebody's lock does not keep the others waiting.
const patienceMs = 100;
const mostAtOnce = 3;

interface Call<Item, Answer> {
  readonly items: readonly Item[];
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane<Item, Answer> {
  underWay: number;
  waiting: Call<Item, Answer>[];
  patience: NodeJS.Timeout | undefined;
}

/**
 * `run` answers one by one what it is given, or throws and has done nothing. Only calls of the same lane go together, and no more
 * than `most` items, but for a single call that has more.
 */
export function gather<Item, Answer>(
  run: (items: readonly Item[], lane: string) => Promise<readonly Answer[]>,
  most = mostItems,
): (lane: string, items: readonly Item[]) => Promise<readonly Answer[]> {
  const lanes = new Map<string, Lane<Item, Answer>>();

  const depart = (name: string, lane: Lane<Item, Answer>): void => {
    clearTimeout(lane.patience);
    lane.patience = undefined;
    const calls = takeSome(lane.waiting, most);
    lane.waiting = lane.waiting.slice(calls.length);
    lane.underWay += 1;
    void runAll(calls, (items) => run(items, name)).then(() => {
      lane.underWay -= 1;
      if (lane.waiting.length > 0) depart(name, lane);
      else if (lane.underWay === 0) lanes.delete(name);
    });
    if (lane.waiting.length > 0) wait(name, lane);
  };

  const wait = (name: string, lane: Lane<Item, Answer>): void => {
    lane.patience ??= setTimeout(() => {
      lane.patience = undefined;
      if (lane.waiting.length > 0 && lane.underWay < mostAtOnce) depart(name, lane);
    }, patienceMs);
  };

  return (name, items) =>
    new Promise((resolve, reject) => {
      const lane = lanes.get(name) ?? { underWay: 0, waiting: [], patience: undefined };
      lanes.set(name, lane);
      lane.waiting.push({ items, resolve, reject });
      if (lane.underWay > 0) wait(name, lane);
      else if (lane.waiting.length === 1) setImmediate(() => depart(name, lane));
    });
}

/** The same for calls of one item each: reads of single rows that many ask for at the same time become one statement. */
export function gatherEach<Item, Answer>(
  run: (items: readonly Item[], lane: string) => Promise<readonly Answer[]>,
): (lane: string, item: Item) => Promise<Answer> {
  const ask = gather(run);
  return async (lane, item) => {
    const answers = await ask(lane, [item]);
    const [answer] = answers;
    if (answers.length !== 1) throw new Error(`one answer was expected, ${answers.length} came`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- there is exactly one
    return answer as Answer;
  };
}

function takeSome<Item, Answer>(waiting: readonly Call<Item, Answer>[], most: number): readonly Call<Item, Answer>[] {
  let items = 0;
  const end = waiting.findIndex((call, at) => {
    items += call.items.length;
    return at > 0 && items > most;
  });
  return end === -1 ? waiting : waiting.slice(0, end);
}

async function runAll<Item, Answer>(
  calls: readonly Call<Item, Answer>[],
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<void> {
  try {
    const answers = await run(calls.flatMap((call) => call.items));
    let from = 0;
    for (const call of calls) {
      call.resolve(answers.slice(from, from + call.items.length));
      from += call.items.length;
    }
  } catch (error) {
    if (calls.length === 1 || isUnknown(error)) {
      for (const call of calls) call.reject(error);
      return;
    }
    await Promise.all(calls.map((call) => run(call.items).then(call.resolve, call.reject)));
  }
}

/** The connection broke, perhaps during COMMIT: to try again is for whoever asked, who knows whether that does harm. */
function isUnknown(error: unknown): boolean {
  return isOutage(error) && !/^(53|55P03|57014)/.test(codeOf(error));
}
