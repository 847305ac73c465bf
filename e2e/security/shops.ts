/** Merchants that have one of everything, so that every id of the API names something. */
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { makeClient, openChannel, type Client } from '@tillstream/rpc/client';
import { claimPorts } from '@tillstream/testkit/ports';
import { buy, placeOrder, type Sale } from '../purchase.ts';
import { startProduct, type Product } from '../product.ts';
import { Shop } from '../shop.ts';
import { until } from '../until.ts';
import { button, Visitor } from '../visitor.ts';
import type { Receiver } from '../webhooks.ts';

// Free in the product's block: services of one process answer each other without ports.
const merchantRpcOffset = 10;

/** As an operator starts it, with a port on which accounts can be opened. */
export async function startShops(): Promise<Product> {
  const portBase = await claimPorts();
  return startProduct('standalone', { portBase, env: { MERCHANT_RPC_PORT: String(portBase + merchantRpcOffset) } });
}

export interface Account {
  readonly testMerchantId: string;
  readonly liveMerchantId: string;
  /** Of test mode; with both scopes. */
  readonly shop: Shop;
  /** Of the same account's live mode. */
  readonly live: Shop;
}

/** `name` is the account's; `known` its test key when it was opened before. */
export async function openAccount(product: Product, name: string, known = ''): Promise<Account> {
  const channel = openChannel({ address: `127.0.0.1:${product.portBase + merchantRpcOffset}` });
  const merchants: Client<typeof MerchantApiService> = makeClient(MerchantApiService, channel, { deadlineMs: 10_000 });
  try {
    const made = await merchants.createAccount({
      accountName: name,
      shopName: name,
      supportEmail: 'help@shop.example',
    });
    const { secret } = await merchants.createApiKey({
      merchantId: made.liveMerchantId,
      name: 'live',
      scopes: ['read', 'write'],
      requestId: '',
    });
    return {
      testMerchantId: made.testMerchantId,
      liveMerchantId: made.liveMerchantId,
      shop: new Shop(product.gateway, made.testApiKey === '' ? known : made.testApiKey),
      live: new Shop(product.gateway, secret),
    };
  } finally {
    channel.close();
  }
}

export interface Stock {
  readonly paid: Sale;
  readonly open: Sale;
  readonly begun: Sale;
}

/** A product that renews with codes, an endpoint, a paid and delivered order with its webhooks, one that waits, and one whose payment was begun. */
export async function stock(shop: Shop, receiver: Receiver, codes = 5): Promise<Stock> {
  await shop.addEndpoint(receiver.url);
  const made = await shop.createProduct('Quill of the shop', {
    metadata: { shelf: 'top' },
    subscription: { type: 'AR', period: 'P1Y' },
  });
  await shop.addCodes(made.id, codes);
  const paid = await buy(made.checkout_url, undefined, undefined, { auto_renew: '1' });
  await until('the delivery and its webhooks', async () => receiver.ofOrder(paid.orderId).length >= 3);
  const open = await placeOrder(new Visitor(), made.checkout_url);
  const visitor = new Visitor();
  const begun = await placeOrder(visitor, made.checkout_url);
  await visitor.press(begun.page, button(begun.page, /^pay/i));
  return { paid, open, begun };
}
