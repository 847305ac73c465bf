/** Two payment services beside the real sandbox, over real HTTP; its callbacks go to the one and the other in turn. */
import { createServer } from 'node:http';
import { readPublicId } from '@tillstream/database/public-id';
import { home as paymentHome, paymentApp, type PaymentTables } from '@tillstream/payment/app';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { startProgram } from '@tillstream/testkit/program';
import { request } from 'undici';
import { alternate, vaultKeys, type Instance, type Stage } from './stage.ts';

export interface Till {
  readonly services: readonly [Instance, Instance];
  /** On the provider's card page. Answers where it leads on. */
  submitCard(pageUrl: string, number: string): Promise<string>;
  /** On the provider's page of a transfer. */
  approve(pageUrl: string): Promise<void>;
  /** At the customer's bank, for cards that want it. */
  confirm(pageUrl: string): Promise<void>;
  /** What the provider has under a payment's id. */
  books(paymentId: string): Promise<readonly SandboxPayment[]>;
}

export interface SandboxPayment {
  readonly id: string;
  readonly status: string;
}

const secret = 'sandbox-secret-for-races';
const callbackSecret = 'callback-secret-for-races';

export async function openTill(stage: Stage): Promise<Till> {
  let calls = 0;
  const gateway = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)]));
      const service = alternate(services, (calls += 1));
      service
        .client(PaymentApiService)
        .receiveCallback({
          provider: (message.url ?? '').slice((message.url ?? '').lastIndexOf('/') + 1),
          headers,
          body: Buffer.concat(chunks),
        })
        .then(
          () => response.writeHead(200).end(),
          () => response.writeHead(500).end(),
        );
    });
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const address = gateway.address();
  const gatewayUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  stage.closing(async () => {
    gateway.closeAllConnections();
    await new Promise((resolve) => gateway.close(resolve));
  });
  const sandbox = await startProgram('sandbox', (port) => ({
    SANDBOX_SECRET: secret,
    SANDBOX_CALLBACK_SECRET: callbackSecret,
    SANDBOX_CALLBACK_URL: `${gatewayUrl}/provider_callbacks/sandbox`,
    SANDBOX_PUBLIC_URL: `http://127.0.0.1:${port}`,
  }));
  stage.closing(() => sandbox.stop());
  const url = `http://127.0.0.1:${sandbox.port}`;
  const config = {
    SANDBOX_URL: url,
    SANDBOX_SECRET: secret,
    SANDBOX_CALLBACK_SECRET: callbackSecret,
    CALLBACK_BASE_URL: gatewayUrl,
    VAULT_KEYS: vaultKeys,
  };
  const services = await stage.two<PaymentTables>(paymentHome, (own) => paymentApp({ ...own, config }));
  const post = async (to: string, form: Record<string, string>) => {
    const answer = await request(to, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
    await answer.body.dump();
    return String(answer.headers['location'] ?? '');
  };
  return {
    services,
    submitCard: (pageUrl, number) => post(pageUrl, { number, expiry: '12/34', cvc: '123' }),
    approve: async (pageUrl) => void (await post(pageUrl, { action: 'approve' })),
    confirm: async (pageUrl) => void (await post(`${pageUrl}/confirmation`, { action: 'confirm' })),
    async books(paymentId) {
      const answer = await request(`${url}/v1/payments?reference=${paymentId}`, {
        headers: { authorization: `Bearer ${secret}` },
      });
      const body = (await answer.body.json()) as { data: SandboxPayment[] };
      return body.data;
    },
  };
}

/** The row's id of a payment that is shown as pay_… */
export function rowIdOf(publicPaymentId: string): string {
  return readPublicId('pay', publicPaymentId) ?? '';
}
