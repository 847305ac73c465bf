/** One connection: its settings, its transaction, and the running of statements, one after the other. */
import type { Node, VariableSetStmt } from 'libpg-query';
import { aborted, simple, type Answer } from './answers.ts';
import { fromDriver } from './casts.ts';
import { emptyEnv, type Env } from './compile.ts';
import { define } from './ddl.ts';
import { notKnown, NotKnown } from './errors.ts';
import { compile, compileExpression, isProgram, type Place, type Program } from './program.ts';
import { Running, type AdvisoryVerb, type Asker, type Delay } from './running.ts';
import type { ServerState } from './server-state.ts';
import { millisecondsOf, settingOf } from './settings.ts';
import { kindOf, parse } from './syntax.ts';
import { Blocked, Transaction } from './transaction.ts';
import type { Value } from './values.ts';

export interface SessionOptions {
  /** Null: the superuser. */
  readonly role: string | null;
  readonly settings: Readonly<Record<string, string>>;
  /** Whether int8 is answered as bigint; else as text, as the driver does unless told otherwise. */
  readonly bigint: boolean;
}

type Step = { readonly program: Program } | { readonly node: Node };

interface Home {
  readonly said: string;
  readonly place: Place;
  readonly plans: Map<string, unknown>;
}

export class Session {
  readonly #state: ServerState;
  readonly #options: SessionOptions;
  readonly #settings: Map<string, string>;
  /** Holds what belongs to the session and not to a transaction. */
  readonly #self: Transaction;
  readonly #asker: Asker;
  readonly id: number;
  readonly channels = new Set<string>();
  #block: Transaction | undefined;
  #settingsBefore: Map<string, string> | undefined;
  #hasFailed = false;
  #isImplicit = false;
  #cancel: (() => void) | undefined;
  #isClosed = false;
  #lockTimeout: number | undefined;
  #lastHome: Home | undefined;

  constructor(state: ServerState, options: SessionOptions) {
    [this.#state, this.#options] = [state, options];
    this.#settings = new Map(Object.entries(options.settings));
    this.#self = new Transaction(state, 0);
    state.sessions += 1;
    this.id = state.sessions;
    this.#asker = {
      id: this.id,
      user: this.user,
      path: () => this.#home.place.path,
      setting: (name) => this.#setting(name),
      put: (name, value, isLocal, transaction) => this.#put(name, value, isLocal, transaction),
      advisory: (verb, key, isOfSession, transaction) =>
        this.#advisory(verb, key, isOfSession ? this.#self : transaction, transaction),
      execute: (text) => {
        for (const { stmt } of parse(text)) if (stmt !== undefined) this.#synchronous(stmt);
      },
    };
  }

  get user(): string {
    return this.#options.role ?? 'postgres';
  }

  get holdsAdvisoryLock(): boolean {
    return this.#state.locks.holdsAdvisory(this.#self);
  }

  get isInTransaction(): boolean {
    return this.#block !== undefined;
  }

  /** What the driver answers: of several statements a list. At once, unless somebody must be waited for; it may throw. */
  run(text: string, values: readonly unknown[]): Answer | Promise<Answer | Answer[]> {
    // 115 is an s.
    const quick = text.charCodeAt(0) === 115 ? quickSet.exec(text) : null;
    if (quick !== null && !this.#hasFailed) {
      this.#put(quick[2] ?? '', quick[3] ?? '', quick[1] !== undefined, this.#block);
      return simple('SET');
    }
    const steps = this.#steps(text);
    const [only] = steps;
    return steps.length === 1 && only !== undefined ? this.#step(only, values) : this.#several(steps, values);
  }

  async #several(steps: readonly Step[], values: readonly unknown[]): Promise<Answer | Answer[]> {
    const answers: Answer[] = [];
    try {
      for (const step of steps) {
        if (this.#block === undefined) {
          this.#begin();
          this.#isImplicit = true;
        }
        answers.push(await this.#step(step, values));
      }
      if (this.#isImplicit) this.#finish(true);
    } catch (error) {
      if (this.#isImplicit) this.#finish(false);
      throw error;
    }
    return answers.length === 0 ? simple('') : answers;
  }

  /** Compiles only, and answers the types of the parameters. Throws when the statement is not known. */
  prepare(text: string): readonly string[] {
    return this.#steps(text).flatMap((step) => ('program' in step ? step.program.parameters : []));
  }

  /** Definitions one after the other, each for itself: a file of a migration. */
  async script(text: string): Promise<void> {
    for (const { stmt: node } of parse(text)) if (node !== undefined) await this.#step({ node }, []);
  }

  /** The connection is gone: what was not committed was never there. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel?.();
    if (this.#block !== undefined) this.#finish(false);
    this.channels.clear();
    this.#state.locks.releaseAll(this.#self);
  }

  /** Where its names are looked for, and what was compiled there. */
  get #home(): Home {
    const said = this.#setting('search_path') ?? 'public';
    const { catalog } = this.#state;
    const known = this.#lastHome;
    if (known !== undefined && known.said === said && known.place.catalog === catalog) return known;
    const path = said.split(',').map((each) => each.trim().replaceAll('"', ''));
    const { role } = this.#options;
    this.#lastHome = { said, place: { catalog, path, role }, plans: catalog.plansOf(`${said} ${role ?? ''}`) };
    return this.#lastHome;
  }

  #steps(text: string): readonly Step[] {
    const { plans } = this.#home;
    const known = plans.get(text) as readonly Step[] | undefined;
    if (known !== undefined) return known;
    const nodes = parse(text).flatMap((each) => (each.stmt === undefined ? [] : [each.stmt]));
    try {
      const steps = nodes.map((node): Step =>
        nodes.length === 1 && isProgram(node) ? { program: compile(this.#home.place, node) } : { node },
      );
      plans.set(text, steps);
      return steps;
    } catch (error) {
      this.#fail();
      throw error instanceof NotKnown ? error.of(text) : error;
    }
  }

  #step(step: Step, values: readonly unknown[]): Answer | Promise<Answer> {
    if ('program' in step) return this.#program(step.program, values);
    const { node } = step;
    if ('TransactionStmt' in node) return this.#transaction(node.TransactionStmt.kind ?? '', node);
    if (this.#hasFailed) throw aborted();
    if (isProgram(node)) return this.#program(compile(this.#home.place, node), values);
    return this.#synchronous(node);
  }

  /** What neither waits nor is worth remembering: settings, listen, definitions. */
  #synchronous(node: Node): Answer {
    if ('VariableSetStmt' in node) return this.#set(node.VariableSetStmt);
    if ('VariableShowStmt' in node) {
      const name = node.VariableShowStmt.name ?? '';
      return { ...simple('SHOW'), rowCount: 1, rows: [{ [name]: this.#setting(name) ?? '' }], fields: [{ name }] };
    }
    if ('ListenStmt' in node) {
      this.channels.add(node.ListenStmt.conditionname ?? '');
      return simple('LISTEN');
    }
    if ('UnlistenStmt' in node) {
      const channel = node.UnlistenStmt.conditionname;
      if (channel === undefined) this.channels.clear();
      else this.channels.delete(channel);
      return simple('UNLISTEN');
    }
    if ('NotifyStmt' in node) {
      const { conditionname: channel = '', payload = '' } = node.NotifyStmt;
      this.#state.deliver(this, [{ channel, payload }]);
      return simple('NOTIFY');
    }
    const elsewhere = this.#state.databases?.(node);
    if (elsewhere !== undefined) return simple(elsewhere);
    if (this.#state.catalog.isShared) this.#state.catalog = this.#state.catalog.copy();
    const place = this.#home.place;
    const valueOf = (each: Node, type: string): Value => {
      const transaction = new Transaction(this.#state, this.#state.now());
      return compileExpression(place, each, type)(emptyEnv(this.#surroundings(transaction, undefined)));
    };
    const command = define({ ...place, store: this.#state.store, valueOf }, node);
    return command === undefined ? notKnown(kindOf(node)) : simple(command);
  }

  #transaction(kind: string, node: Node): Answer {
    switch (kind) {
      case 'TRANS_STMT_BEGIN':
      case 'TRANS_STMT_START':
        if (this.#hasFailed) throw aborted();
        if (this.#block === undefined) this.#begin();
        this.#isImplicit = false;
        return simple('BEGIN');
      case 'TRANS_STMT_COMMIT':
      case 'TRANS_STMT_ROLLBACK': {
        const commits = kind === 'TRANS_STMT_COMMIT' && !this.#hasFailed;
        this.#finish(commits);
        return simple(commits ? 'COMMIT' : 'ROLLBACK');
      }
      default:
        return notKnown(`${kind} ${kindOf(node)}`);
    }
  }

  #begin(): void {
    this.#block = new Transaction(this.#state, this.#state.now());
  }

  #finish(commits: boolean): void {
    const block = this.#block;
    if (!commits && this.#settingsBefore !== undefined) {
      this.#settings.clear();
      for (const [name, value] of this.#settingsBefore) this.#settings.set(name, value);
    }
    this.#block = undefined;
    this.#settingsBefore = undefined;
    this.#hasFailed = false;
    this.#isImplicit = false;
    this.#lockTimeout = undefined;
    if (block !== undefined) this.#end(block, commits);
  }

  #end(transaction: Transaction, commits: boolean): void {
    if (commits) transaction.commit();
    else transaction.rollback();
    this.#state.locks.releaseAll(transaction);
    if (commits && transaction.notifications.length > 0) this.#state.deliver(this, transaction.notifications);
  }

  /** An error inside a block: all is undone at once, and nothing goes until the block ends. */
  #fail(): void {
    if (this.#block === undefined || this.#hasFailed) return;
    this.#block.rollback();
    this.#state.locks.releaseAll(this.#block);
    this.#hasFailed = true;
  }

  #program(program: Program, given: readonly unknown[]): Answer | Promise<Answer> {
    if (this.#hasFailed) throw aborted();
    const transaction = this.#block ?? new Transaction(this.#state, this.#state.now());
    const drawn: bigint[] = [];
    try {
      const values = program.parameters.map((type, at) => fromDriver(type, given[at]));
      try {
        return this.#attempt(program, values, transaction, undefined, drawn);
      } catch (error) {
        if (!(error instanceof Blocked)) throw error;
        return this.#patiently(program, values, transaction, error, drawn);
      }
    } catch (error) {
      this.#break(transaction);
      throw error;
    }
  }

  /** It met a lock: again when that is gone, until it is through. */
  async #patiently(
    program: Program,
    values: readonly Value[],
    transaction: Transaction,
    first: Blocked,
    drawn: bigint[],
  ): Promise<Answer> {
    this.#state.locks.begin();
    const delay: Delay = { seen: this.#state.commits, refreshed: new Set(), drawn };
    try {
      for (let blocked = first; ;) {
        if (blocked.row !== undefined) delay.refreshed.add(blocked.row);
        await this.#state.locks.wait(
          blocked,
          [transaction, this.#self],
          this.#timeout(),
          (cancel) => (this.#cancel = cancel),
        );
        this.#cancel = undefined;
        await this.#state.turn?.({ stage: 'resume', session: this.id });
        try {
          return this.#attempt(program, values, transaction, delay, drawn);
        } catch (error) {
          if (!(error instanceof Blocked)) throw error;
          blocked = error;
        }
      }
    } catch (error) {
      this.#break(transaction);
      throw error;
    } finally {
      this.#state.locks.end(this.#state);
    }
  }

  #break(transaction: Transaction): void {
    if (transaction === this.#block) this.#fail();
    else this.#end(transaction, false);
  }

  #attempt(
    program: Program,
    values: readonly Value[],
    transaction: Transaction,
    delay: Delay | undefined,
    drawn: bigint[],
  ): Answer {
    if (this.#isClosed) throw new Error('the connection was dropped');
    const { store } = this.#state;
    for (const table of program.written) store.write(table);
    const { mark } = transaction;
    const running = this.#surroundings(transaction, delay, drawn);
    const env: Env = emptyEnv(running, values);
    try {
      const rows = program.plan.rows(env);
      running.runAfter();
      if (transaction !== this.#block) this.#end(transaction, true);
      const hasRows = program.fields.length > 0 || program.command === 'SELECT';
      const answered = hasRows ? program.answer(rows, this.#options.bigint) : [];
      return { command: program.command, rowCount: rows.length, rows: answered, fields: program.fields, oid: null };
    } catch (error) {
      if (error instanceof Blocked) transaction.undoTo(mark);
      throw error;
    }
  }

  #surroundings(transaction: Transaction, delay: Delay | undefined, drawn: bigint[] = []): Running {
    const state = this.#state;
    state.statements += 1;
    return new Running(state, this.#asker, transaction, state.statements, delay, drawn);
  }

  #advisory(verb: AdvisoryVerb, key: string, holder: Transaction, transaction: Transaction): boolean {
    if (verb !== 'unlock all') return this.#state.locks.advisory(verb, key, holder, [this.#self, transaction]);
    this.#state.locks.releaseAll(holder);
    return true;
  }

  #setting(name: string): string | undefined {
    return this.#block?.setting(name) ?? this.#settings.get(name);
  }

  #put(name: string, value: string, isLocal: boolean, transaction: Transaction | undefined): void {
    if (isLocal) transaction?.set(name, value);
    else {
      transaction?.set(name, undefined);
      this.#keepSettings();
      this.#settings.set(name, value);
    }
    this.#lockTimeout = undefined;
  }

  /** Before the first change in a block: a rollback takes it back. */
  #keepSettings(): void {
    if (this.#block !== undefined) this.#settingsBefore ??= new Map(this.#settings);
  }

  #set(node: VariableSetStmt): Answer {
    const { name = '', kind, args = [], is_local } = node;
    if (kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT') {
      const first = this.#options.settings[name];
      this.#keepSettings();
      if (first === undefined) this.#settings.delete(name);
      else this.#settings.set(name, first);
      this.#block?.set(name, undefined);
      return simple('RESET');
    }
    if (kind !== 'VAR_SET_VALUE') return notKnown(`set ${kind}`);
    this.#put(name, settingOf(args), is_local === true, this.#block);
    return simple('SET');
  }

  /** In milliseconds; 0: for ever. */
  #timeout(): number {
    this.#lockTimeout ??= millisecondsOf(this.#setting('lock_timeout') ?? '0');
    return this.#lockTimeout;
  }
}

// A text of its own for each set of merchants: not worth parsing, nor remembering.
const quickSet = /^set (local )?(tillstream\.\w+) = '([^']*)'$/;
