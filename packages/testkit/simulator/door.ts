/**
 * The door of the gateway: requests of merchants' programs reach it without a socket, and get lost on either way as they
 * would on a wire. It lives in a process that may be killed while somebody waits for its answer.
 */
import type { FaultKind } from './engine/faults.ts';
import { currentOwner, runAs, type Owner } from './engine/owner.ts';
import type { Scheduler } from './engine/scheduler.ts';
import { realImmediate } from './engine/time.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** What a Fastify instance has for this. */
export interface Injectable {
  ready(): PromiseLike<unknown>;
  inject(request: HttpRequest): PromiseLike<{ readonly statusCode: number; readonly payload: string }>;
}

interface Server {
  readonly owner: Owner;
  readonly http: Injectable;
  /** How those who wait hear that it is gone. */
  readonly callers: Set<() => void>;
}

const wayThere: readonly FaultKind[] = ['lost before', 'doubled'];
const wayBack: readonly FaultKind[] = ['lost after'];
const lost = () => new Error('the connection broke');
// Longer than any request takes; then the program thinks that it is lost.
const patienceMs = 30_000;

export function isInjectable(http: object | undefined): http is Injectable {
  return http !== undefined && 'inject' in http && 'ready' in http;
}

export class Door {
  readonly #scheduler: Scheduler;
  readonly #servers = new Set<Server>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get isOpen(): boolean {
    return [...this.#servers].some(({ owner }) => owner.isAlive);
  }

  serve(owner: Owner, http: Injectable): void {
    this.#servers.add({ owner, http, callers: new Set() });
  }

  forget(owner: Owner): void {
    for (const server of this.#servers) {
      if (server.owner !== owner) continue;
      this.#servers.delete(server);
      for (const hangUp of server.callers) hangUp();
    }
  }

  /** Throws when no answer came. */
  send(request: HttpRequest): Promise<HttpAnswer> {
    const scheduler = this.#scheduler;
    const caller = currentOwner();
    const what = `${request.method} ${request.url.replaceAll(/[0-9a-f-]{20,}|\d+/g, '…')}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(lost()), patienceMs);
      const fail = (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : lost());
      };
      const hear = (answer: HttpAnswer) =>
        runAs(caller, () =>
          scheduler.point({ label: `response ${what}`, faults: wayBack, act: () => answer, fail: lost }),
        ).then((heard) => {
          clearTimeout(timer);
          resolve(heard);
        }, fail);
      const act = () => {
        const up = [...this.#servers].filter(({ owner }) => owner.isAlive);
        const server = up.length <= 1 ? up[0] : scheduler.random.pick(up);
        if (server === undefined) throw lost();
        const hangUp = () => fail(lost());
        server.callers.add(hangUp);
        // Its body is read over several turns of the loop.
        scheduler.hold(turns(4));
        runAs(server.owner, async () => {
          const { statusCode: status, payload: body } = await server.http.inject(request);
          server.callers.delete(hangUp);
          void hear({ status, body });
        }).catch(fail);
      };
      scheduler.point({ label: `request ${what}`, faults: wayThere, act, fail: lost }).catch(fail);
    });
  }
}

async function turns(many: number): Promise<void> {
  for (let turn = 0; turn < many; turn += 1) await new Promise((resolve) => realImmediate(resolve));
}
