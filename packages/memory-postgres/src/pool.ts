/** Pools and clients as the driver has them: what the product uses, answered asynchronously and in order. */
import { EventEmitter } from 'node:events';
import type { Answer } from './answers.ts';
import type { Session } from './session.ts';
import type { ServerState } from './server-state.ts';

interface Question {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly resolve: (answer: Answer | Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

type Asked = string | { readonly text: string; readonly values?: readonly unknown[]; readonly rowMode?: string };

export interface Notification {
  readonly channel: string;
  readonly payload: string;
  readonly processId: number;
}

export class Client extends EventEmitter {
  readonly session: Session;
  readonly application: string;
  readonly #state: ServerState;
  readonly #questions: Question[] = [];
  #isBusy = false;
  #isBroken: 'no' | 'reject' | 'silence' = 'no';
  /** Set by the pool while somebody has it. */
  onRelease: ((destroy: boolean) => void) | undefined;

  constructor(session: Session, application: string, state: ServerState) {
    super();
    this.setMaxListeners(0);
    [this.session, this.application, this.#state] = [session, application, state];
  }

  get processID(): number {
    return this.session.id;
  }

  get isBusy(): boolean {
    return this.#isBusy || this.session.isInTransaction;
  }

  get isBroken(): boolean {
    return this.#isBroken !== 'no';
  }

  query(asked: Asked, values?: readonly unknown[]): Promise<Answer | Answer[]> {
    const text = typeof asked === 'string' ? asked : asked.text;
    const given = (typeof asked === 'string' ? values : (asked.values ?? values)) ?? [];
    return new Promise((resolve, reject) => {
      if (this.#isBroken === 'reject') reject(gone());
      if (this.#isBroken !== 'no') return;
      this.#questions.push({ text, values: given, resolve, reject });
      if (!this.#isBusy) void this.#work();
    });
  }

  /** The answer itself where nobody is before it and nothing must be waited for: for who takes turns already. It may throw. */
  ask(text: string, values: readonly unknown[]): Answer | Promise<Answer | Answer[]> {
    if (this.#isBusy || this.isBroken || this.#state.turn !== undefined) return this.query(text, values);
    const answer = this.session.run(text, values);
    if (!(answer instanceof Promise)) return answer;
    return this.#finish(answer);
  }

  /** What is asked meanwhile waits for it, and nobody hears of it when the connection breaks, or that it did. */
  #finish(answer: Promise<Answer | Answer[]>): Promise<Answer | Answer[]> {
    return new Promise((resolve, reject) => {
      const question: Question = { text: '', values: [], resolve, reject };
      this.#questions.push(question);
      this.#isBusy = true;
      const end = (say: () => void) => {
        if (!this.isBroken) say();
        if (this.#questions[0] === question) this.#questions.shift();
        void this.#work();
      };
      answer.then(
        (value) => end(() => resolve(value)),
        (error: unknown) => end(() => reject(error)),
      );
    });
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let question = this.#questions[0]; question !== undefined; question = this.#questions[0]) {
      await this.#answer(question);
      // A broken connection has emptied the list itself.
      if (this.#questions[0] === question) this.#questions.shift();
    }
    this.#isBusy = false;
  }

  async #answer({ text, values, resolve, reject }: Question): Promise<void> {
    const { turn } = this.#state;
    const moment = { application: this.application, session: this.session.id, text };
    // Without a scheduler the next one in line goes on at the end of this microtask.
    await turn?.({ stage: 'run', ...moment });
    if (this.isBroken) return;
    try {
      const answer = await this.session.run(text, values);
      if (turn !== undefined) await turn({ stage: 'answer', ...moment });
      if (!this.isBroken) resolve(answer);
    } catch (error) {
      if (turn !== undefined) await turn({ stage: 'answer', ...moment });
      if (!this.isBroken) reject(error);
    }
  }

  notify(notification: Notification): void {
    const { turn } = this.#state;
    const emit = () => {
      if (!this.isBroken) this.emit('notification', notification);
    };
    const { channel } = notification;
    const moment = { stage: 'notify', application: this.application, session: this.session.id, channel } as const;
    void Promise.resolve(turn?.(moment)).then(emit);
  }

  release(destroy: boolean | Error = false): void {
    const { onRelease } = this;
    this.onRelease = undefined;
    if (onRelease === undefined)
      throw new Error('Release called on client which has already been released to the pool.');
    onRelease(destroy !== false);
  }

  async end(): Promise<void> {
    this.#isBroken = 'reject';
    this.session.close();
    this.emit('end');
  }

  /** As when the server goes away. */
  sever(pending: 'reject' | 'silence'): void {
    if (this.isBroken) return;
    this.#isBroken = pending;
    this.session.close();
    const open = this.#questions.splice(0);
    if (pending === 'silence') return;
    for (const question of open) question.reject(gone());
    if (this.listenerCount('error') > 0) this.emit('error', gone());
    this.emit('end');
  }
}

const gone = () => new Error('Connection terminated unexpectedly');

interface MemoryPoolOptions {
  readonly state: ServerState;
  readonly application: string;
  readonly max: number;
  readonly open: () => Session;
  /** All clients of the server. */
  readonly clients: Set<Client>;
}

export class MemoryPool extends EventEmitter {
  readonly options: { readonly max: number; readonly application_name: string };
  readonly #parts: MemoryPoolOptions;
  readonly #all = new Set<Client>();
  readonly #idle: Client[] = [];
  readonly #waiting: ((client: Client) => void)[] = [];
  ended = false;

  constructor(parts: MemoryPoolOptions) {
    super();
    this.setMaxListeners(0);
    this.#parts = parts;
    this.options = { max: parts.max, application_name: parts.application };
  }

  get totalCount(): number {
    return this.#all.size;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  async connect(): Promise<Client> {
    if (this.ended) throw new Error('Cannot use a pool after calling end on the pool');
    for (let client = this.#idle.pop(); client !== undefined; client = this.#idle.pop()) {
      if (!client.isBroken) return this.#lend(client);
      this.#forget(client);
    }
    if (this.#all.size < this.#parts.max) return this.#lend(this.#make());
    return new Promise((resolve) => {
      this.#waiting.push((client) => resolve(this.#lend(client)));
    });
  }

  async query(asked: Asked, values?: readonly unknown[]): Promise<Answer | Answer[]> {
    const client = await this.connect();
    try {
      return await client.query(asked, values);
    } finally {
      client.release();
    }
  }

  async end(): Promise<void> {
    this.ended = true;
    for (const client of this.#all) {
      this.#forget(client);
      await client.end();
    }
  }

  #make(): Client {
    const client = new Client(this.#parts.open(), this.#parts.application, this.#parts.state);
    this.#all.add(client);
    this.#parts.clients.add(client);
    this.emit('connect', client);
    return client;
  }

  #forget(client: Client): void {
    this.#all.delete(client);
    this.#parts.clients.delete(client);
  }

  #lend(client: Client): Client {
    client.onRelease = (destroy) => this.#takeBack(client, destroy);
    return client;
  }

  #takeBack(client: Client, destroy: boolean): void {
    const next = this.#waiting.shift();
    if (destroy || client.isBroken || this.ended) {
      this.#forget(client);
      void client.end();
      if (next !== undefined) next(this.#make());
    } else if (next === undefined) this.#idle.push(client);
    else next(client);
  }
}
