/** Calls between the services of a world: each call and each answer is an operation, and may be lost. */
import { answerCall } from '@tillstream/rpc/answering';
import type { RpcChannel } from '@tillstream/rpc/client';
import type { Log, Method, RpcBinding } from '@tillstream/rpc/contract';
import type { RpcExchange, ServedRpc } from '@tillstream/rpc/in-process';
import { Refused } from '@tillstream/rpc/refusals';
import type { FaultKind } from './engine/faults.ts';
import { currentOwner, runAs, type Owner } from './engine/owner.ts';
import type { Scheduler } from './engine/scheduler.ts';

interface Server {
  readonly owner: Owner;
  readonly methods: ReadonlyMap<string, RpcBinding['methods'][number]>;
  readonly log: Log;
  /** How the callers that wait hear that it is gone. */
  readonly callers: Set<() => void>;
}

const wayThere: readonly FaultKind[] = ['lost before'];
const wayBack: readonly FaultKind[] = ['lost after'];

function unavailable(): Refused {
  return new Refused('unavailable');
}

export class Exchange implements RpcExchange {
  readonly #scheduler: Scheduler;
  /** By service; one that runs in two processes has two. */
  readonly #servers = new Map<string, readonly Server[]>();
  /** What those outside who are of one merchant were answered. */
  readonly answers: { readonly label: string; readonly merchantId: string; readonly words: string }[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  serve(service: string, bindings: readonly RpcBinding[], log: Log): ServedRpc {
    const methods = new Map(bindings.flatMap((each) => each.methods.map((one) => [one.method.path, one] as const)));
    const server: Server = { owner: currentOwner(), methods, log, callers: new Set() };
    this.#servers.set(service, [...(this.#servers.get(service) ?? []), server]);
    return { stop: async () => this.#leave(service, server) };
  }

  /** Its process was killed: whoever waits for it hears that the connection is gone. */
  forget(owner: Owner): void {
    for (const [service, servers] of this.#servers)
      for (const server of servers) {
        if (server.owner !== owner) continue;
        this.#leave(service, server);
        for (const hangUp of server.callers) hangUp();
      }
  }

  #leave(service: string, server: Server): void {
    const others = (this.#servers.get(service) ?? []).filter((each) => each !== server);
    this.#servers.set(service, others);
  }

  /** Any of those that are up, as a balancer would. */
  #serverOf(service: string): Server | undefined {
    const up = (this.#servers.get(service) ?? []).filter(({ owner }) => owner.isAlive);
    return up.length <= 1 ? up[0] : this.#scheduler.random.pick(up);
  }

  isServed(service: string): boolean {
    return this.#servers.get(service)?.some(({ owner }) => owner.isAlive) === true;
  }

  channel(service: string): RpcChannel {
    return {
      call: (method, request, deadlineMs) => this.#call(service, method, request, deadlineMs),
      ready: async () => undefined,
      close: () => undefined,
    };
  }

  #call(service: string, method: Method, request: never, deadlineMs: number): Promise<unknown> {
    const scheduler = this.#scheduler;
    const caller = currentOwner();
    const label = method.path.slice(method.path.lastIndexOf('/') + 1);
    return new Promise((resolve, reject) => {
      let isOver = false;
      const finish = (say: () => void) => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        if (caller.isAlive) say();
      };
      const timer = setTimeout(() => finish(() => reject(unavailable())), deadlineMs);
      const answer = (say: () => void) =>
        runAs(caller, () =>
          scheduler.point({ label: `answer ${label}`, faults: wayBack, act: () => finish(say), fail: unavailable }),
        ).catch((error: unknown) => finish(() => reject(error)));
      const act = () => {
        const server = this.#serverOf(service);
        const each = server?.methods.get(method.path);
        if (server === undefined || each === undefined) throw unavailable();
        const hangUp = () => finish(() => reject(unavailable()));
        server.callers.add(hangUp);
        const deadline = new Date(Date.now() + deadlineMs);
        runAs(server.owner, () => answerCall(each, { request, deadline }, server.log)).then(
          (said) => {
            server.callers.delete(hangUp);
            const { merchantId } = caller;
            if (merchantId !== undefined) this.answers.push({ label, merchantId, words: plainText(said) });
            void answer(() => resolve(said));
          },
          (error: unknown) => {
            server.callers.delete(hangUp);
            void answer(() => reject(error));
          },
        );
      };
      scheduler
        .point({ label: `call ${label}`, faults: wayThere, act, fail: unavailable })
        .catch((error: unknown) => finish(() => reject(error)));
    });
  }
}

/** As JSON, with numbers of eight bytes as their digits. */
export function plainText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)) ?? '';
}
