/**
 * What the services take for pg's pool. Each statement is an operation of the scheduler: it runs when it is picked, and its
 * connection may break before it, or after it, when its answer is lost. A COMMIT is a statement like any other.
 */
import { EventEmitter } from 'node:events';
import type { Pool, PoolConfig } from 'pg';
import { currentOwner, type Owner } from '../engine/owner.ts';
import type { FaultKind } from '../engine/faults.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Answer, Connection, Statement, Storage } from './storage.ts';

export interface PoolParts {
  readonly storage: Storage;
  readonly scheduler: Scheduler;
}

interface Asked {
  readonly statement: Statement;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const faults: readonly FaultKind[] = ['lost before', 'lost after'];

const isOpening = /^(begin|set)\b/i;

function broken(): Error {
  return Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
}

class SimulatedClient extends EventEmitter {
  readonly #scheduler: Scheduler;
  readonly #owner = currentOwner();
  readonly #connection: Connection;
  readonly #giveBack: (client: SimulatedClient, isBroken: boolean) => void;
  /** Statements that go out one after the other, however they were sent. */
  readonly #asked: Asked[] = [];
  #isAsking = false;
  isBroken = false;

  constructor(
    scheduler: Scheduler,
    connection: Connection,
    giveBack: (client: SimulatedClient, isBroken: boolean) => void,
  ) {
    super();
    this.setMaxListeners(100);
    this.#scheduler = scheduler;
    this.#connection = connection;
    this.#giveBack = giveBack;
    connection.onNotification((message) => this.emit('notification', message));
  }

  query(first: string | Statement, values?: readonly unknown[]): Promise<Answer> {
    const statement: Statement = typeof first === 'string' ? { text: first, ...(values ? { values } : {}) } : first;
    return new Promise((resolve, reject) => {
      this.#asked.push({ statement, resolve, reject });
      this.#ask();
    });
  }

  release(error?: Error | boolean): void {
    this.#giveBack(this, error !== undefined && error !== false);
  }

  drop(): void {
    if (this.isBroken) return;
    this.isBroken = true;
    this.#connection.drop();
  }

  #break(): Error {
    this.drop();
    const error = broken();
    for (const each of this.#asked.splice(0)) each.reject(error);
    queueMicrotask(() => {
      if (this.listenerCount('error') > 0) this.emit('error', error);
      this.emit('end');
    });
    return error;
  }

  #ask(): void {
    const [next] = this.#asked;
    if (this.#isAsking || next === undefined) return;
    if (this.isBroken) {
      for (const each of this.#asked.splice(0)) each.reject(broken());
      return;
    }
    this.#isAsking = true;
    const { text } = next.statement;
    // What opens a transaction, or says whose rows are seen, shows nothing to anybody: it goes out with what follows.
    const opens = isOpening.test(text);
    const run = async (): Promise<void> => {
      try {
        const answer = opens
          ? await this.#connection.query(next.statement)
          : await this.#scheduler.point<Answer>({
              label: labelOf(next.statement),
              faults,
              act: () => this.#connection.query(next.statement),
              fail: () => this.#break(),
            });
        if (!this.#owner.isAlive) return;
        next.resolve(answer);
      } catch (error) {
        // Who was killed with its connections does not hear that they are gone.
        if (!this.#owner.isAlive) return;
        next.reject(error);
      }
      if (this.#asked[0] === next) this.#asked.shift();
      this.#isAsking = false;
      this.#ask();
    };
    void run();
  }
}

/** Not by its name: a statement gets one only when it comes again. */
function labelOf({ text }: Statement): string {
  const known = labels.get(text);
  if (known !== undefined) return known;
  const label = text.slice(0, 90).replaceAll(/\s+/g, ' ').trim();
  // Some texts come once only: they name ids.
  if (labels.size < 5_000) labels.set(text, label);
  return label;
}

const labels = new Map<string, string>();

export interface SimulatedPool {
  readonly pool: Pool;
  /** As the end of its process leaves it. */
  drop(): void;
}

export function simulatedPool({ storage, scheduler }: PoolParts, config: PoolConfig): SimulatedPool {
  const idle: SimulatedClient[] = [];
  const all = new Set<SimulatedClient>();
  const waiting: { owner: Owner; serve: (client: SimulatedClient) => void; fail: (error: unknown) => void }[] = [];
  const events = new EventEmitter();
  const most = config.max ?? 10;
  let opening = 0;

  const giveBack = (client: SimulatedClient, isBroken: boolean): void => {
    if (isBroken || client.isBroken) {
      all.delete(client);
      client.drop();
      serveNext();
      return;
    }
    const next = waiting.shift();
    if (next === undefined) idle.push(client);
    else next.serve(client);
  };
  const open = async (): Promise<SimulatedClient> => {
    opening += 1;
    try {
      const client = new SimulatedClient(scheduler, await storage.connect(config), giveBack);
      all.add(client);
      events.emit('connect', client);
      return client;
    } finally {
      opening -= 1;
    }
  };
  const serveNext = (): void => {
    const next = waiting.shift();
    if (next !== undefined) open().then(next.serve, next.fail);
  };
  const connect = (): Promise<SimulatedClient> => {
    for (let client = idle.pop(); client !== undefined; client = idle.pop()) {
      if (!client.isBroken) return Promise.resolve(client);
      all.delete(client);
    }
    if (all.size + opening < most) return open();
    return new Promise((serve, fail) => waiting.push({ owner: currentOwner(), serve, fail }));
  };
  const pool = {
    options: config,
    get totalCount() {
      return all.size;
    },
    get idleCount() {
      return idle.length;
    },
    get waitingCount() {
      return waiting.length;
    },
    connect,
    async query(first: string | Statement, values?: readonly unknown[]) {
      const client = await connect();
      try {
        return await client.query(first, values);
      } finally {
        client.release();
      }
    },
    async end() {
      for (const client of all) client.drop();
      all.clear();
    },
    on: (name: string, listener: (...given: unknown[]) => void) => events.on(name, listener),
    once: (name: string, listener: (...given: unknown[]) => void) => events.once(name, listener),
    off: (name: string, listener: (...given: unknown[]) => void) => events.off(name, listener),
  };
  return {
    // What pg's pool has besides is asked for by nobody.
    pool: pool as object as Pool,
    drop: () => {
      for (const client of all) client.drop();
    },
  };
}
