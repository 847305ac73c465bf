/**
 * The one way for a machine's state to change: inbox, load, prepare, decide, evolve, save, announce and timers in one
 * transaction, for one command or for a batch. Commands that come while a batch is under way share the next one (gather.ts). One wide
 * log line per command.
 */
import { randomUUIDv7 } from 'node:crypto';
import type { Kysely, QueryExecutorProvider } from 'kysely';
import { codeOf, type Database } from '@tillstream/database/database';
import { together } from '@tillstream/database/together';
import type { Machine } from '@tillstream/machine/machine';
import { evolveAll } from '@tillstream/machine/machine';
import { markSpan, traceIdOf, currentTraceparent } from '@tillstream/telemetry/trace';
import { gather } from './gather.ts';
import type { Change, Envelope, Keeper, Loaded, PreparingKeeper, VersionedEvent } from './keeper.ts';
import type { Log } from './log.ts';
import { announce, firstSight } from './once.ts';
import { isDueSoon, schedule } from './timers.ts';
import { wake } from './wake.ts';

export type Answer<State, Event, Refusal extends string> =
  | { readonly answer: 'accepted'; readonly events: readonly Event[]; readonly state: State; readonly version: number }
  | { readonly answer: 'ignored'; readonly because: string; readonly state: State; readonly version: number }
  | { readonly answer: 'refused'; readonly reason: Refusal; readonly state: State; readonly version: number };

/**
 * What is written in the same transaction as the commands are decided in: made by a function of `alongside`, so that what
 * several calls of a batch write is written together. It may run again when the transaction is tried again.
 */
export interface Alongside {
  readonly writeAll: (tx: QueryExecutorProvider, all: readonly Alongside[]) => Promise<unknown>;
}

/** `write` gets all items of a batch at once. */
export function alongside<Item>(
  write: (tx: QueryExecutorProvider, items: readonly Item[]) => Promise<unknown>,
): (item: Item) => Alongside {
  const items = new WeakMap<Alongside, { readonly item: Item }>();
  const writeAll: Alongside['writeAll'] = (tx, all) =>
    write(
      tx,
      all.flatMap((each) => items.get(each) ?? []).map(({ item }) => item),
    );
  return (item) => {
    const one: Alongside = { writeAll };
    items.set(one, { item });
    return one;
  };
}

export interface Performer<State, Command, Event, Refusal extends string> {
  /** For rpc: one transaction for all, perhaps with others' commands; the answers in the order asked. */
  perform(
    envelopes: readonly Envelope<Command>[],
    beside?: Alongside,
  ): Promise<readonly Answer<State, Event, Refusal>[]>;
  /** For messages and timers: an envelope whose messageId was seen before answers ignored. */
  performOnce(
    envelopes: readonly Envelope<Command>[],
    beside?: Alongside,
  ): Promise<readonly Answer<State, Event, Refusal>[]>;
}

export interface PerformerParts<Schema, State, Command, Event, Refusal extends string> {
  readonly database: Database<Schema>;
  readonly machine: Machine<State, Command, Event, Refusal>;
  readonly keeper: Keeper<Schema, State, Event>;
  /** The machine's name: in the log, in timers, and as the inbox's consumer. */
  readonly name: string;
  readonly log: Log;
}

interface Typed {
  readonly type: string;
}

const uniqueViolation = '23505';

export function makePerformer<Schema, State, Command extends Typed, Event extends Typed, Refusal extends string>(
  parts: PerformerParts<Schema, State, Command, Event, Refusal>,
): Performer<State, Command, Event, Refusal> {
  return performerOf({ ...parts, prepare: (_tx, envelopes) => envelopes.map(({ command }) => command) });
}

/** For a machine whose decisions need more rows than the aggregate's own (PreparingKeeper says in which order they lock). */
export function makePreparingPerformer<
  Schema,
  State,
  Request extends Typed,
  Command extends Typed,
  Event extends Typed,
  Refusal extends string,
>(
  parts: PerformerParts<Schema, State, Command, Event, Refusal> & {
    readonly keeper: PreparingKeeper<Schema, State, Event, Request, Command>;
  },
): Performer<State, Request, Event, Refusal> {
  const { keeper } = parts;
  return performerOf({ ...parts, prepare: (tx, envelopes, loaded) => keeper.prepare(tx, envelopes, loaded) });
}

interface PreparingParts<Schema, State, Request, Command, Event, Refusal extends string> extends PerformerParts<
  Schema,
  State,
  Command,
  Event,
  Refusal
> {
  readonly prepare: (
    tx: Kysely<Schema>,
    envelopes: readonly Envelope<Request>[],
    loaded: Promise<ReadonlyMap<string, Loaded<State>>>,
  ) => readonly Command[] | Promise<readonly Command[]>;
}

function performerOf<Schema, State, Request extends Typed, Command, Event extends Typed, Refusal extends string>(
  parts: PreparingParts<Schema, State, Request, Command, Event, Refusal>,
): Performer<State, Request, Event, Refusal> {
  const run = async (asked: readonly Asked<Request>[]): Promise<readonly Answer<State, Event, Refusal>[]> => {
    const startedAt = performance.now();
    const merchants = asked.map(({ envelope }) => envelope.merchantId);
    let hasDue = false;
    const once = () =>
      parts.database.transaction(merchants, async (tx) => {
        const done = await performIn(tx, parts, asked);
        hasDue = done.hasDue;
        return done.answers;
      });
    let answers: readonly Answer<State, Event, Refusal>[];
    try {
      answers = await once();
    } catch (error) {
      // Two first commands for one aggregate: the second insert failed on the key; now it finds the row and decides.
      if (codeOf(error) !== uniqueViolation) throw error;
      answers = await once();
    }
    wake(parts.database, hasDue);
    logAll(parts, asked, answers, performance.now() - startedAt);
    return answers;
  };
  const perform = gather(run);
  const ask = async (envelopes: readonly Envelope<Request>[], isOnce: boolean, beside?: Alongside) => {
    if (envelopes.length === 0) return [];
    // Whose trace it is must be known now: a batch runs where its first command came from.
    const active = currentTraceparent();
    const asked = envelopes.map((envelope, at) => ({
      envelope,
      isOnce,
      traceparent: envelope.traceparent ?? active,
      ...(at > 0 || beside === undefined ? {} : { alongside: beside }),
    }));
    // Only commands of the same merchants share a transaction. It sees what each of them may see, and no more: a command
    // that names another merchant's aggregate finds nothing.
    return perform([...new Set(envelopes.map(({ merchantId }) => merchantId))].toSorted().join(), asked);
  };
  return {
    perform: (envelopes, beside) => ask(envelopes, false, beside),
    performOnce: (envelopes, beside) => ask(envelopes, true, beside),
  };
}

interface Asked<Command> {
  readonly envelope: Envelope<Command>;
  readonly isOnce: boolean;
  readonly traceparent: string;
  readonly alongside?: Alongside;
}

interface Draft<State, Event> {
  readonly merchantId: string;
  readonly before: State;
  readonly versionBefore: number;
  state: State;
  version: number;
  readonly events: VersionedEvent<Event>[];
}

async function performIn<Schema, State, Request extends Typed, Command, Event extends Typed, Refusal extends string>(
  tx: Kysely<Schema>,
  parts: PreparingParts<Schema, State, Request, Command, Event, Refusal>,
  asked: readonly Asked<Request>[],
): Promise<{ answers: readonly Answer<State, Event, Refusal>[]; hasDue: boolean }> {
  const { machine, keeper, name } = parts;
  const messageIds = asked.flatMap(({ isOnce, envelope: { messageId } }) =>
    isOnce && messageId !== undefined ? [messageId] : [],
  );
  const taken = new Set<string>();
  const merchantOf = new Map(asked.map(({ envelope }) => [envelope.id, envelope.merchantId]));
  // Locks in the order of ids: two batches cannot wait for each other.
  const ids = [...merchantOf.keys()].toSorted();
  const deduplicating = firstSight(tx, name, messageIds);
  const loading = keeper.load(tx, ids, (id) => merchantOf.get(id) ?? '');
  const preparing = parts.prepare(
    tx,
    asked.map(({ envelope }) => envelope),
    loading,
  );
  const [fresh, loaded, commands] = await together([deduplicating, loading, preparing]);
  const drafts = new Map<string, Draft<State, Event>>();

  const answers = asked.map(({ envelope, isOnce, traceparent: parent }, index): Answer<State, Event, Refusal> => {
    const draft =
      drafts.get(envelope.id) ?? draftOf(envelope, loaded.get(envelope.id) ?? { state: machine.absent, version: 0 });
    drafts.set(envelope.id, draft);
    const { messageId } = envelope;
    const isSeen = isOnce && messageId !== undefined && (!fresh.has(messageId) || taken.has(messageId));
    if (isSeen) return { answer: 'ignored', because: 'seen before', state: draft.state, version: draft.version };
    if (messageId !== undefined) taken.add(messageId);
    const command = commands[index];
    if (command === undefined) throw new Error(`${name}: prepare left out the command of an envelope`);
    const decision = machine.decide(draft.state, command);
    if (decision.answer !== 'accepted') return { ...decision, state: draft.state, version: draft.version };
    const traceparent = markSpan(`perform ${name} ${envelope.command.type}`, {
      parent,
      attributes: {
        'tillstream.machine': name,
        'tillstream.command': envelope.command.type,
        'tillstream.aggregate': envelope.id,
      },
    });
    draft.state = evolveAll(machine, draft.state, decision.events);
    for (const event of decision.events) {
      draft.version += 1;
      draft.events.push({ event, version: draft.version, eventId: randomUUIDv7(), now: envelope.now, traceparent });
    }
    return { ...decision, state: draft.state, version: draft.version };
  });

  const changes = [...drafts]
    .filter(([, draft]) => draft.events.length > 0)
    .map(([id, draft]): Change<State, Event> => ({ id, ...draft, after: draft.state }));
  const besides = Map.groupBy(
    asked.flatMap((each) => each.alongside ?? []),
    (each) => each.writeAll,
  );
  const hasDue = changes.length > 0 && (await keep(tx, name, keeper, changes));
  // After what was decided is written: it may depend on it.
  await together([...besides].map(([writeAll, all]) => writeAll(tx, all)));
  // What is written alongside may be a timer as well.
  return { answers, hasDue: hasDue || besides.size > 0 };
}

/** Answers whether a timer was set that is due at once. */
async function keep<Schema, State, Event>(
  tx: Kysely<Schema>,
  name: string,
  keeper: Keeper<Schema, State, Event>,
  changes: readonly Change<State, Event>[],
): Promise<boolean> {
  const announced = changes.flatMap((change) => keeper.announce(change).map((message) => ({ message, change })));
  const versions = new Map(changes.flatMap((change) => change.events.map((event) => [event.eventId, event.version])));
  const timers = changes.flatMap((change) =>
    (keeper.timers?.(change) ?? []).map((timer) => ({
      machine: name,
      aggregateId: change.id,
      merchantId: change.merchantId,
      traceparent: change.events.at(-1)?.traceparent ?? '',
      change: timer,
      now: change.events.at(-1)?.now ?? new Date(0),
    })),
  );
  // All in one round trip; none depends on another's answer.
  await together([
    keeper.save(tx, changes),
    announce(
      tx,
      announced.map((each) => each.message),
      announced.map(({ message, change }) => ({
        type: name,
        id: change.id,
        version: versions.get(message.headers.ce_id) ?? change.version,
      })),
    ),
    schedule(tx, timers),
  ]);
  return isDueSoon(timers);
}

function draftOf<State, Event>(
  envelope: Envelope<unknown>,
  loaded: { state: State; version: number },
): Draft<State, Event> {
  return {
    merchantId: envelope.merchantId,
    before: loaded.state,
    versionBefore: loaded.version,
    state: loaded.state,
    version: loaded.version,
    events: [],
  };
}

function logAll<Command extends Typed, State, Event extends Typed, Refusal extends string>(
  parts: { readonly name: string; readonly log: Log },
  asked: readonly Asked<Command>[],
  answers: readonly Answer<State, Event, Refusal>[],
  ms: number,
): void {
  asked.forEach(({ envelope, traceparent }, at) => {
    const answer = answers[at];
    if (answer === undefined) return;
    parts.log.info(
      {
        machine: parts.name,
        id: envelope.id,
        merchant_id: envelope.merchantId,
        command: envelope.command.type,
        answer: answer.answer,
        ...(answer.answer === 'accepted' ? { events: answer.events.map((event) => event.type) } : {}),
        ...(answer.answer === 'ignored' ? { because: answer.because } : {}),
        ...(answer.answer === 'refused' ? { reason: answer.reason } : {}),
        ...(envelope.messageId === undefined ? {} : { cause: envelope.messageId }),
        version: answer.version,
        batch: asked.length,
        ms: Math.round(ms * 100) / 100,
        trace_id: traceIdOf(traceparent),
      },
      'performed',
    );
  });
}
