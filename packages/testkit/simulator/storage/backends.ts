/**
 * Connections to the server, which outlive the processes of a history: opening one takes milliseconds, and what it has prepared
 * is planned already. A dropped one is rolled back, forgets all that it was told, and serves again.
 */
import { Client, type ClientConfig } from 'pg';
import type { Settling } from './settling.ts';

export interface Backend {
  readonly client: Client;
  readonly pid: number;
  readonly key: string;
  /** What the session knows of the time; unknown after an error, which may have undone it. */
  toldMs: number | undefined;
  isListening: boolean;
  /** Holds advisory locks of its session. */
  isLocking: boolean;
  /** Was told something that its next owner must not find: it is reset before its first statement. */
  isStale: boolean;
  onNotification: ((message: { channel: string; payload: string }) => void) | undefined;
}

const strip = 'rollback; unlisten *; select pg_advisory_unlock_all()';

export class Backends {
  readonly #admin: Pick<Client, 'query'>;
  readonly #settling: Settling;
  readonly #idle = new Map<string, Backend[]>();
  readonly #all = new Set<Backend>();
  readonly #lent = new Set<Backend>();
  #dropped: Backend[] = [];
  #stripping: Promise<void> = Promise.resolve();

  constructor(admin: Pick<Client, 'query'>, settling: Settling) {
    this.#admin = admin;
    this.#settling = settling;
  }

  async lend(config: ClientConfig): Promise<Backend> {
    const key = `${config.application_name ?? ''} ${config.connectionString ?? ''} ${config.options ?? ''}`;
    const backend = this.#idle.get(key)?.pop() ?? (await this.#open(key, config));
    this.#lent.add(backend);
    return backend;
  }

  listening(): readonly Backend[] {
    return [...this.#lent].filter((each) => each.isListening);
  }

  /**
   * As when its process is killed. All that are dropped in one moment end together: those that wait for a lock first, as the
   * lock of another one would become theirs. Resolves when the server has done it.
   */
  drop(backend: Backend): Promise<void> {
    if (!this.#lent.delete(backend)) return this.#stripping;
    backend.onNotification = undefined;
    backend.isStale = true;
    if (!this.#holdsAnything(backend)) {
      this.#putBack(backend);
      return this.#stripping;
    }
    this.#dropped.push(backend);
    if (this.#dropped.length === 1) this.#stripping = this.#stripping.then(() => this.#strip(this.#dropped.splice(0)));
    return this.#stripping;
  }

  /** Nobody of a history that is over has one any more. */
  async dropAll(): Promise<void> {
    await Promise.all([...this.#lent].map((each) => this.drop(each)));
    await this.#stripping;
  }

  async close(): Promise<void> {
    await this.dropAll();
    await Promise.all([...this.#all].map((each) => each.client.end()));
  }

  async #open(key: string, config: ClientConfig): Promise<Backend> {
    const client = new Client({ ...config, pipeline: true });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const backend: Backend = {
      client,
      pid: rows[0]?.pid ?? 0,
      key,
      toldMs: undefined,
      isListening: false,
      isLocking: false,
      isStale: false,
      onNotification: undefined,
    };
    client.on('notification', ({ channel, payload = '' }) => backend.onNotification?.({ channel, payload }));
    this.#all.add(backend);
    return backend;
  }

  async #strip(dropped: readonly Backend[]): Promise<void> {
    const waiting = dropped.filter(({ pid }) => this.#settling.isBusy(pid)).map(({ pid }) => pid);
    if (waiting.length > 0)
      await this.#admin.query('select pg_cancel_backend(pid) from unnest($1::int[]) as pid', [waiting]);
    await Promise.all(
      dropped.map(async (backend) => {
        // Goes out after the statement that is cancelled, whose error nobody hears.
        await backend.client.query(strip);
        Object.assign(backend, { isListening: false, isLocking: false });
        this.#putBack(backend);
      }),
    );
  }

  #holdsAnything({ client, pid, isListening, isLocking }: Backend): boolean {
    return isListening || isLocking || this.#settling.isBusy(pid) || client.getTransactionStatus() !== 'I';
  }

  #putBack(backend: Backend): void {
    const idle = this.#idle.get(backend.key);
    if (idle === undefined) this.#idle.set(backend.key, [backend]);
    else idle.push(backend);
  }
}
