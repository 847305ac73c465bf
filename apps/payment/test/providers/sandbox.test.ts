import { publicId } from '@tillstream/database/public-id';
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { ownAccountId } from '../../src/domain/provider-account.ts';
import { callbackSecretOf, type World } from '../world.ts';
import { providerConformance } from './conformance.ts';
import type { ProviderHarness } from './harness.ts';

const found = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      status: z.enum(['created', 'opened', 'submitted', 'succeeded', 'failed', 'withdrawn']),
      amount_minor: z.string(),
      currency: z.string(),
    }),
  ),
});
const callback = z.looseObject({ id: z.string(), type: z.string(), payment: z.looseObject({}) });
const statuses = {
  created: 'open',
  opened: 'open',
  submitted: 'processing',
  succeeded: 'paid',
  failed: 'failed',
  withdrawn: 'withdrawn',
} as const;
const behaviours = {
  'error before it acts': 'error_500',
  'error after it has acted': 'error_500_after_create',
  'no answer after it has acted': 'no_answer_after_create',
} as const;

function harness(world: World): ProviderHarness {
  const submit = (pageUrl: string, number: string) =>
    fetch(pageUrl, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ number, expiry: '12/34', cvc: '123' }),
    });
  return {
    address: (merchantId) => publicId('pa', ownAccountId(merchantId)),
    async knows(reference) {
      const { data } = found.parse(await world.sandbox('GET', `/v1/payments?reference=${reference}`));
      return data.map(({ id, status, amount_minor, currency }) => ({
        id,
        status: statuses[status],
        amountMinor: BigInt(amount_minor),
        currency,
        pageUrl: `${world.sandboxUrl}/pay/${id}`,
      }));
    },
    failNext: async (how) => void (await world.sandbox('POST', '/v1/test/next', { behaviour: behaviours[how] })),
    callbacks: async ({ twice = false, reversed = false, dropped = false }) =>
      void (await world.sandbox('POST', '/v1/test/callbacks', {
        double: twice,
        out_of_order: reversed,
        drop: dropped,
      })),
    pay: (pageUrl) => submit(pageUrl, '4242424242424242'),
    decline: (pageUrl) => submit(pageUrl, '4000000000000002'),
    sign(address, body, at) {
      const seconds = Math.floor(at.getTime() / 1_000);
      const signature = createHmac('sha256', callbackSecretOf(address))
        .update(`${seconds}.`)
        .update(body)
        .digest('hex');
      return { 'sandbox-signature': `t=${seconds},v1=${signature}` };
    },
    alter(body, { eventId, amountMinor, currency, reference }) {
      const read = callback.parse(JSON.parse(body.toString()));
      const payment = {
        ...read.payment,
        ...(amountMinor === undefined ? {} : { amount_minor: String(amountMinor) }),
        ...(currency === undefined ? {} : { currency }),
        ...(reference === undefined ? {} : { reference }),
      };
      return Buffer.from(JSON.stringify({ ...read, id: eventId ?? read.id, payment }));
    },
    saysPaid: (body) => body.includes('"payment.succeeded"'),
  };
}

providerConformance('sandbox', harness);
