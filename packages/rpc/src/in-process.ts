/**
 * Calls between services of one process: the handler is called, and nothing is encoded or sent. Clients, deadlines,
 * refusals, spans and durations are those of gRPC; one contract suite holds both. Of the two spans of a call only the
 * server's is made, for there is no way between them that could take time.
 *
 * Messages are handed over as they are. That both sides leave them alone is held by `isFrozen` where things are tried
 * out: whoever changes a message then throws (docs/decisions/in-process-rpc.md).
 */
import { answerCall } from './answering.ts';
import type { RpcChannel } from './client.ts';
import type { Log, Method, RpcBinding } from './contract.ts';
import { Refused } from './refusals.ts';

export interface RpcExchange {
  /** From now on calls to the service arrive. */
  serve(service: string, bindings: readonly RpcBinding[], log: Log): ServedRpc;
  /** Works before the service is up; calls are refused as unavailable until then. */
  channel(service: string): RpcChannel;
}

export interface ServedRpc {
  /** Takes no more calls; lets running ones finish for at most five seconds. */
  stop(): Promise<void>;
}

interface Line {
  take(method: Method, request: never, deadlineMs: number): Promise<unknown>;
}

// The same as of the gRPC server.
const finishWithinMs = 5_000;

export function openExchange(options: { readonly isFrozen?: boolean } = {}): RpcExchange {
  const lines = new Map<string, Line>();
  const waiting = new Map<string, Set<() => void>>();
  const hand = options.isFrozen === true ? freeze : <T>(message: T) => message;
  return {
    serve(service, bindings, log) {
      if (lines.has(service)) throw new Error(`${service} is served already`);
      const { line, stop } = answerOn(bindings, log);
      lines.set(service, line);
      for (const tell of waiting.get(service) ?? []) tell();
      waiting.delete(service);
      return {
        stop: () => {
          lines.delete(service);
          return stop();
        },
      };
    },
    channel(service) {
      let isClosed = false;
      return {
        async call(method, request, deadlineMs) {
          const line = isClosed ? undefined : lines.get(service);
          if (line === undefined) throw unavailable(`${service} is not up`);
          return hand(await line.take(method, hand(request), deadlineMs));
        },
        ready: (withinMs) =>
          new Promise((resolve, reject) => {
            if (lines.has(service)) return resolve();
            const told = waiting.get(service) ?? new Set();
            waiting.set(service, told);
            const tell = () => {
              clearTimeout(timer);
              resolve();
            };
            const timer = setTimeout(() => {
              told.delete(tell);
              reject(new Error(`${service} was not up within ${withinMs} ms`));
            }, withinMs);
            told.add(tell);
          }),
        close: () => {
          isClosed = true;
        },
      };
    },
  };
}

function answerOn(bindings: readonly RpcBinding[], log: Log): { line: Line; stop: () => Promise<void> } {
  const methods = new Map(bindings.flatMap(({ methods }) => methods.map((each) => [each.method.path, each] as const)));
  // How each running call is given up.
  const running = new Set<(refused: Refused) => void>();
  let onQuiet: (() => void) | undefined;
  const line: Line = {
    take: (method, request, deadlineMs) =>
      new Promise((resolve, reject) => {
        const each = methods.get(method.path);
        if (each === undefined) throw faulty(`nobody answers ${method.path}`);
        running.add(reject);
        // The handler goes on, as one behind gRPC would; only nobody waits for it any more.
        const timer = setTimeout(
          () => reject(unavailable(`${method.path} took longer than ${deadlineMs} ms`)),
          deadlineMs,
        );
        const finish = () => {
          clearTimeout(timer);
          running.delete(reject);
          if (running.size === 0) onQuiet?.();
        };
        answerCall(each, { request, deadline: new Date(Date.now() + deadlineMs) }, log).then(
          (answer) => {
            finish();
            resolve(answer);
          },
          (error: unknown) => {
            finish();
            reject(error instanceof Refused ? carried(error) : error);
          },
        );
      }),
  };
  const stop = () =>
    new Promise<void>((resolve) => {
      if (running.size === 0) return resolve();
      const force = setTimeout(() => {
        for (const giveUp of running) giveUp(unavailable('the service has stopped'));
        resolve();
      }, finishWithinMs);
      onQuiet = () => {
        clearTimeout(force);
        resolve();
      };
    });
  return { line, stop };
}

/** What crosses to the caller of a refusal: neither its cause nor its stack. */
function carried({ code, param, message, fields }: Refused): Refused {
  return new Refused(code, { ...(param === undefined ? {} : { param }), detail: message, fields });
}

function unavailable(why: string): Refused {
  const refused = new Refused('unavailable');
  refused.cause = new Error(why);
  return refused;
}

function faulty(why: string): Refused {
  const refused = new Refused('internal');
  refused.cause = new Error(why);
  return refused;
}

function freeze<T>(message: T): T {
  // Bytes cannot be frozen; nothing writes into them either.
  if (typeof message === 'object' && message !== null && !ArrayBuffer.isView(message) && !Object.isFrozen(message)) {
    Object.freeze(message);
    for (const part of Object.values(message)) freeze(part);
  }
  return message;
}
