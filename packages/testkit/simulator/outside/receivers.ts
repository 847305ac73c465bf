/** The merchant's receivers of webhooks: they check what they hear, note it, and fail now and then. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Exchange } from '@tillstream/webhook-dispatcher/app';
import type { FaultKind } from '../engine/faults.ts';
import type { Scheduler } from '../engine/scheduler.ts';

export interface Heard {
  readonly endpoint: string;
  readonly id: string;
  readonly event: string;
  readonly orderId: number;
  readonly isSigned: boolean;
  readonly text: string;
}

const faults: readonly FaultKind[] = ['lost before', 'lost after', 'refused'];

class Refusal extends Error {
  override readonly name = 'Refusal';
}

export class Receivers {
  readonly heard: Heard[] = [];
  /** By host. */
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler, secrets: ReadonlyMap<string, string>) {
    this.#scheduler = scheduler;
    this.#secrets = secrets;
  }

  readonly exchange: Exchange = async (url, request) => {
    const askedAtMs = Date.now();
    const status = await this.#scheduler
      .point({
        label: `webhook to ${url.hostname}`,
        faults,
        act: () => {
          this.#hear(url.hostname, request.headers, request.body, askedAtMs);
          return 200;
        },
        fail: (fault) =>
          fault === 'refused' ? new Refusal() : Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
      })
      .catch((error: unknown) => {
        if (error instanceof Refusal) return 503;
        throw error;
      });
    return { status, retryAfter: undefined, responseStart: '' };
  };

  #hear(endpoint: string, headers: Record<string, string>, body: Buffer, askedAtMs: number): void {
    const id = headers['webhook-id'] ?? '';
    const text = body.toString('utf8');
    const said: { event: string; order_id: number } = JSON.parse(text);
    const key = Buffer.from((this.#secrets.get(endpoint) ?? '').replace(/^whsec_/, ''), 'base64');
    const signed = `${id}.${headers['webhook-timestamp'] ?? ''}.`;
    const wanted = createHmac('sha256', key).update(signed).update(body).digest();
    const given = Buffer.from((headers['webhook-signature'] ?? '').replace(/^v1,/, ''), 'base64');
    // As receivers do: a signature of another time is a replay. Time may have leapt while it was on its way.
    const isOfNow = Math.abs(askedAtMs / 1_000 - Number(headers['webhook-timestamp'])) < 300;
    const isSigned = isOfNow && given.length === wanted.length && timingSafeEqual(given, wanted);
    this.heard.push({ endpoint, id, event: said.event, orderId: said.order_id, isSigned, text });
  }
}
