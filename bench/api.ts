/** What a merchant's program says to the gateway. */
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { makeClient, openChannel } from '@tillstream/rpc/client';
import { request } from 'undici';
import type { Form } from './form.ts';

/** Throws with what was answered when that is no success. */
export async function post<T>(of: Pick<Form, 'gateway' | 'apiKey'>, path: string, body: object): Promise<T> {
  const answer = await request(`${of.gateway}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${of.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 500)}`);
  const parsed: T = JSON.parse(text);
  return parsed;
}

/** Answers the key of another merchant's test mode. */
export async function openAccount(form: Form, name: string): Promise<string> {
  const channel = openChannel({ address: `127.0.0.1:${form.portBase + 10}` });
  const { testApiKey } = await makeClient(MerchantApiService, channel).createAccount({
    accountName: name,
    shopName: name,
    supportEmail: 'shop@example.com',
  });
  channel.close();
  return testApiKey;
}

const codesAtOnce = 10_000;

/** A product with a pool of its own; answers its link. */
export async function sell(
  of: Pick<Form, 'gateway' | 'apiKey'>,
  product: { readonly name: string; readonly codes: number; readonly more?: object },
): Promise<string> {
  const made = await post<{ id: string; checkout_url: string }>(of, '/v1/products', {
    name: product.name,
    prices: [{ amount: 10_000, currency: 'EUR' }],
    delivery: { method: 'pool', one_code_per: 'unit' },
    ...product.more,
  });
  for (let left = product.codes; left > 0; left -= codesAtOnce) {
    const some = Array.from({ length: Math.min(left, codesAtOnce) }, (_, n) => `${product.name}-${left}-${n}`);
    await post(of, `/v1/products/${made.id}/licence_codes`, { codes: some });
  }
  return made.checkout_url;
}
