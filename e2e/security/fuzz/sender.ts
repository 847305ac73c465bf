/** Sends the fuzz and judges each answer by itself. */
import { Agent } from 'undici';
import type { Operation } from '../document.ts';
import type { FuzzRequest } from './request.ts';

export interface Outcome {
  readonly status: number;
  readonly text: string;
  readonly tookMs: number;
  /** Why it is wrong, beginning with the kind of fault; undefined when it is right. */
  readonly complaint: string | undefined;
}

const usualLimitMs = 5_000;
/** Operations whose answer waits for something by their own description, and a little over as long as they may. */
const limitsMs: Readonly<Record<string, number>> = {
  advanceTestClock: 58_000,
  resetTestClock: 58_000,
  pingWebhookEndpoint: 20_000,
};

export class Sender {
  readonly #gateway: string;
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly #agent = new Agent({ connections: 64, pipelining: 1 });

  constructor(gateway: string, operations: readonly Operation[]) {
    this.#gateway = gateway;
    this.#operations = new Map(operations.map((operation) => [operation.id, operation]));
  }

  async send(asked: FuzzRequest): Promise<Outcome> {
    const limitMs = limitsMs[asked.operation ?? ''] ?? usualLimitMs;
    const startedAt = performance.now();
    const took = () => performance.now() - startedAt;
    try {
      const answer = await this.#agent.request({
        origin: this.#gateway,
        path: asked.target,
        method: asked.method,
        headers: asked.headers,
        ...(asked.body === undefined ? {} : { body: asked.body }),
        signal: AbortSignal.timeout(limitMs),
      });
      const text = await answer.body.text();
      const { statusCode: status, headers } = answer;
      const contentType = String(headers['content-type'] ?? '');
      return { status, text, tookMs: took(), complaint: this.#judge(asked, status, contentType, text) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // What the client's own library refuses to send never reached anybody.
      if (error instanceof Error && 'code' in error && error.code === 'UND_ERR_INVALID_ARG')
        return { status: 0, text: '', tookMs: took(), complaint: undefined };
      const complaint = took() >= limitMs ? `time-out: no answer within ${limitMs} ms` : `broken: ${reason}`;
      return { status: 0, text: '', tookMs: took(), complaint };
    }
  }

  #judge(asked: FuzzRequest, status: number, contentType: string, text: string): string | undefined {
    if (status >= 500) return `fault: ${status} ${text.slice(0, 300)}`;
    const operation = this.#operations.get(asked.operation ?? '');
    if (operation === undefined) {
      const isProblem = contentType.startsWith('application/problem+json');
      return status < 400 || isProblem || asked.method === 'HEAD' ? undefined : `form: ${status} as ${contentType}`;
    }
    const complaint = operation.complaint({ status, contentType, text });
    return complaint === undefined ? undefined : `undocumented: ${status}: ${complaint}`;
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

/** The smallest request found that still goes wrong in the same way; undefined when it did not go wrong again. */
export async function shrink(first: FuzzRequest, sender: Sender): Promise<FuzzRequest | undefined> {
  const kindOf = async (asked: FuzzRequest) => (await sender.send(asked)).complaint?.split(':')[0];
  const kind = await kindOf(first);
  if (kind === undefined) return undefined;
  let smallest = first;
  const seen = new Set<string>();
  for (let tries = 0; tries < 200;) {
    const smaller = smallerThan(smallest).filter((each) => !seen.has(JSON.stringify(each)));
    let found: FuzzRequest | undefined;
    for (const candidate of smaller) {
      seen.add(JSON.stringify(candidate));
      tries += 1;
      if ((await kindOf(candidate)) !== kind) continue;
      found = candidate;
      break;
    }
    if (found === undefined) break;
    smallest = found;
  }
  return smallest;
}

function smallerThan(asked: FuzzRequest): readonly FuzzRequest[] {
  const found: FuzzRequest[] = [];
  for (const name of Object.keys(asked.headers)) {
    const headers = Object.fromEntries(Object.entries(asked.headers).filter(([each]) => each !== name));
    found.push({ ...asked, headers });
  }
  const [path = '', query] = asked.target.split('?');
  if (query !== undefined) {
    const pairs = query.split('&');
    for (let at = 0; at < pairs.length; at += 1) {
      const left = pairs.filter((_, each) => each !== at).join('&');
      found.push({ ...asked, target: left === '' ? path : `${path}?${left}` });
    }
  }
  if (asked.body === undefined) return found;
  found.push({ ...asked, body: undefined });
  try {
    for (const value of smallerValues(JSON.parse(asked.body))) found.push({ ...asked, body: JSON.stringify(value) });
  } catch {
    if (asked.body.length > 1) found.push({ ...asked, body: asked.body.slice(0, asked.body.length >> 1) });
  }
  return found;
}

function smallerValues(value: unknown): unknown[] {
  if (typeof value === 'string' && value.length > 1)
    return [value.slice(0, value.length >> 1), value.slice(value.length >> 1)];
  if (Array.isArray(value))
    return value.flatMap((item, at) => [
      value.filter((_, each) => each !== at),
      ...smallerValues(item).map((less) => value.map((old: unknown, each) => (each === at ? less : old))),
    ]);
  if (typeof value !== 'object' || value === null) return [];
  const fields = Object.entries(value);
  return fields.flatMap(([name, inner]) => [
    Object.fromEntries(fields.filter(([each]) => each !== name)),
    ...smallerValues(inner).map((less) => ({ ...value, [name]: less })),
  ]);
}
