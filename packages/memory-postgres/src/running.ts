/** One run of one statement: what it may ask of its session and server. */
import type { Surroundings } from './compile.ts';
import type { ServerState } from './server-state.ts';
import type { Row, Store } from './store.ts';
import { systemRows } from './system-views.ts';
import type { Transaction } from './transaction.ts';
import type { Tuple } from './values.ts';

/** Of a statement that had to wait. */
export interface Delay {
  readonly seen: number;
  readonly refreshed: Set<Row>;
  /** A statement that is run again draws no other numbers. */
  readonly drawn: bigint[];
}

export type AdvisoryVerb = Parameters<Surroundings['advisory']>[0];

/** The session, as its statements know it. */
export interface Asker {
  readonly id: number;
  readonly user: string;
  path(): readonly string[];
  setting(name: string): string | undefined;
  put(name: string, value: string, isLocal: boolean, transaction: Transaction): void;
  advisory(verb: AdvisoryVerb, key: string, isOfSession: boolean, transaction: Transaction): boolean;
  execute(text: string): void;
}

const nothing: Set<Row> = new Set();

export class Running implements Surroundings {
  readonly transaction: Transaction;
  readonly statement: number;
  readonly seen: number;
  readonly refreshed: Set<Row>;
  readonly store: Store;
  readonly isOld: boolean;
  #after: (() => void)[] | undefined;
  readonly #state: ServerState;
  readonly #asker: Asker;
  readonly #drawn: bigint[];
  #draws = 0;

  constructor(
    state: ServerState,
    asker: Asker,
    transaction: Transaction,
    statement: number,
    delay: Delay | undefined,
    drawn: bigint[],
  ) {
    this.#state = state;
    this.#asker = asker;
    this.#drawn = drawn;
    this.transaction = transaction;
    this.statement = statement;
    this.seen = delay?.seen ?? state.commits;
    this.refreshed = delay?.refreshed ?? nothing;
    this.store = state.store;
    this.isOld = this.seen < state.commits;
  }

  get after(): (() => void)[] {
    return (this.#after ??= []);
  }

  /** What was put there, and what comes to it meanwhile. */
  runAfter(): void {
    const after = this.#after;
    if (after !== undefined) for (let at = 0; at < after.length; at += 1) after[at]?.();
  }

  get user(): string {
    return this.#asker.user;
  }

  get processId(): number {
    return this.#asker.id;
  }

  get schema(): string {
    return this.#asker.path()[0] ?? 'public';
  }

  system(name: string): Tuple[] {
    return systemRows(this.#state, name);
  }

  now(): number {
    return this.#state.now();
  }

  newId(version: 4 | 7): string {
    return this.#state.newId(version);
  }

  setting(name: string): string | undefined {
    return this.#asker.setting(name);
  }

  set(name: string, value: string, isLocal: boolean): void {
    this.#asker.put(name, value, isLocal, this.transaction);
  }

  notify(channel: string, payload: string): void {
    this.transaction.notify(channel, payload);
  }

  advisory(verb: AdvisoryVerb, key: string, isOfSession: boolean): boolean {
    return this.#asker.advisory(verb, key, isOfSession, this.transaction);
  }

  nextval(name: string): bigint {
    this.#draws += 1;
    return (this.#drawn[this.#draws - 1] ??= this.#state.nextval(this.#asker.path(), name));
  }

  execute(text: string): void {
    this.#asker.execute(text);
  }

  terminate(processId: number): boolean {
    return this.#state.terminate(processId);
  }
}
