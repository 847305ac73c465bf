/** A merchant's webhook receiver: records what came, in order, and checks both signatures as the documentation says. */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';

export interface Delivered {
  readonly at: number;
  readonly id: string;
  readonly timestamp: string;
  readonly standard: string;
  readonly seed: string;
  readonly raw: string;
  readonly body: SeedBody;
}

/** The document of seed 003. */
export interface SeedBody {
  readonly event: string;
  readonly event_date: string;
  readonly order_id: number;
  readonly order_name: string;
  readonly status: string;
  readonly create_date: string;
  readonly pay_date: string;
  readonly currency: string;
  readonly customer: Record<string, string>;
  readonly product: {
    readonly id: string;
    readonly amount: string;
    readonly quantity: number;
    readonly activation_codes?: readonly string[];
  };
  readonly payment: {
    readonly payment_method: string;
    readonly payment_error_code?: string;
    readonly card_last_4: string | null;
  };
  readonly subscription?: {
    readonly id: string;
    readonly status: string;
    readonly is_conversion_from_trial: boolean;
    readonly expiration_date: string;
    readonly next_charge_date: string;
    readonly detail_url: string;
  };
  readonly document_part: string;
}

export class Receiver {
  readonly received: Delivered[] = [];
  /** Requests that were refused because the endpoint was told to be down. */
  refused = 0;
  #server: Server | undefined;
  #status = 200;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hooks`;
  }

  async listen(): Promise<this> {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.statusCode = this.#status;
        response.end('thanks');
        if (this.#status >= 300) {
          this.refused += 1;
          return;
        }
        const raw = Buffer.concat(chunks).toString('utf8');
        const header = (name: string) => String(request.headers[name] ?? '');
        this.received.push({
          at: Date.now(),
          id: header('webhook-id'),
          timestamp: header('webhook-timestamp'),
          standard: header('webhook-signature'),
          seed: header('signature'),
          raw,
          body: JSON.parse(raw),
        });
      });
    });
    await new Promise<void>((resolve) => this.#server?.listen(this.#port, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    return this;
  }

  answerWith(status: number): void {
    this.#status = status;
  }

  /** Nobody listens: connections are refused. */
  async goDown(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => this.#server?.close(() => resolve()));
  }

  ofOrder(orderId: number): readonly Delivered[] {
    return this.received.filter((each) => each.body.order_id === orderId);
  }
}

/** Seed 003, "Generating Signatures". */
export function seedSignature(secret: string, body: SeedBody): string {
  const parts = [
    secret,
    body.event,
    body.order_id,
    body.create_date,
    body.payment.payment_method,
    body.currency,
    body.customer['email'],
  ];
  return createHash('sha512').update(parts.join(';')).digest('hex');
}

/** Standard Webhooks 1.0. */
export function standardSignature(secret: string, delivered: Delivered): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const mac = createHmac('sha256', key)
    .update(`${delivered.id}.${delivered.timestamp}.${delivered.raw}`)
    .digest('base64');
  return `v1,${mac}`;
}
