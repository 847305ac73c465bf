/** The product library. */
import type { Product } from '@tillstream/proto/merchant/v1/merchant_api';
import { instant, madeAt, metadataOut, moneyOf, moneyOut, wholeNumber } from '@tillstream/public-api/values';
import { Refused } from '@tillstream/rpc/refusals';
import { z } from 'zod';
import type { Clients } from '../clients.ts';
import type { Api } from '../http/api.ts';
import { requestIdOf } from '../http/idempotency.ts';
import { tenantOf } from '../http/tenant.ts';
import { list, listOf, metadataIn, moneyIn, pageOf, pageQuery, problems, says } from '../shapes.ts';
import { planIn, planOf, planOut, showPlan } from './subscription-plan.ts';

const delivery = z.strictObject({
  method: z.literal('pool').default('pool').describe('pool: a licence code from the pool that you fill.'),
  one_code_per: z.enum(['unit', 'product']).default('unit'),
  send_mail: z.boolean().default(true),
  show_on_order_page: z.boolean().default(true),
  low_water_mark: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe('With fewer codes than this left you get a notice. 0 = none.'),
});

const texts = {
  name: z.string().max(255),
  family_name: z.string().max(255),
  description: z.string().max(4_000),
  image_url: z.string().max(500).describe('https'),
  vendor_code: z.string().max(100),
  sku: z.string().max(100),
  business_segment: z.enum(['b2c', 'b2b']),
  prices: z.array(moneyIn).min(1).max(20).describe('One per currency.'),
  min_quantity: z.int().min(1).max(10_000),
  published: z.boolean(),
};

const draft = z.strictObject({
  name: texts.name.min(1),
  family_name: texts.family_name.default(''),
  description: texts.description.default(''),
  image_url: texts.image_url.default(''),
  vendor_code: texts.vendor_code.default(''),
  sku: texts.sku.default(''),
  business_segment: texts.business_segment.default('b2c'),
  prices: texts.prices,
  min_quantity: texts.min_quantity.default(1),
  published: texts.published.default(true),
  delivery: delivery.prefault({}),
  subscription: planIn.default(null).describe('How it renews; null = it does not.'),
  metadata: metadataIn.default({}),
});

const change = z
  .strictObject({
    ...texts,
    archived: z.boolean(),
    delivery: delivery.describe('Replaces the whole.'),
    subscription: planIn.describe('Replaces the whole; null = it no longer renews.'),
    metadata: metadataIn.describe('Replaces the whole.'),
  })
  .partial();

const product = z
  .object({
    id: z.string().describe('A string of digits.'),
    object: z.literal('product'),
    livemode: z.boolean(),
    name: z.string(),
    family_name: z.string(),
    description: z.string(),
    image_url: z.string(),
    vendor_code: z.string(),
    sku: z.string(),
    business_segment: z.string(),
    prices: z.array(moneyOut),
    min_quantity: wholeNumber,
    published: z.boolean(),
    archived: z.boolean(),
    delivery: z.object({
      method: z.string(),
      one_code_per: z.string(),
      send_mail: z.boolean(),
      show_on_order_page: z.boolean(),
      low_water_mark: wholeNumber,
    }),
    subscription: planOut.nullable().describe('How it renews; null = it does not.'),
    checkout_url: z.string().describe('Where customers buy it.'),
    metadata: metadataOut,
    created_at: instant,
  })
  .meta({ id: 'Product' });

const query = pageQuery({ archived: z.stringbool().default(false).describe('With those that are archived.') });
const params = z.object({ id: z.string() });

export function addProducts(api: Api, { merchant }: Pick<Clients, 'merchant'>, checkoutUrl: string): void {
  const show = (found: Product | undefined) => showProduct(found, checkoutUrl);

  api.post(
    '/products',
    {
      schema: {
        ...says('Products', 'createProduct', 'Make a product'),
        body: draft,
        response: { 201: product, ...problems },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const made = await merchant.createProduct({
        merchantId: tenantOf(request).merchantId,
        name: body.name,
        familyName: body.family_name,
        description: body.description,
        imageUrl: body.image_url,
        vendorCode: body.vendor_code,
        sku: body.sku,
        businessSegment: body.business_segment,
        prices: pricesOf(body.prices),
        minQuantity: body.min_quantity,
        published: body.published,
        delivery: deliveryOf(body.delivery),
        subscription: planOf(body.subscription),
        metadata: body.metadata,
        requestId: requestIdOf(request),
      });
      return reply.code(201).send(show(made.product));
    },
  );

  api.get(
    '/products',
    {
      schema: {
        ...says('Products', 'listProducts', 'List products'),
        querystring: query,
        response: { 200: listOf(product), ...problems },
      },
    },
    async (request) => {
      const answer = await merchant.listProducts({
        merchantId: tenantOf(request).merchantId,
        page: pageOf(request.query),
        withArchived: request.query.archived,
      });
      return list(answer.products.map(show), answer.hasMore);
    },
  );

  api.get(
    '/products/:id',
    {
      schema: {
        ...says('Products', 'getProduct', 'Look at a product'),
        params,
        response: { 200: product, ...problems },
      },
    },
    async (request) => {
      const { products } = await merchant.getProducts({
        merchantId: tenantOf(request).merchantId,
        productIds: [request.params.id],
      });
      return show(products[0]);
    },
  );

  api.patch(
    '/products/:id',
    {
      schema: {
        ...says(
          'Products',
          'updateProduct',
          'Change a product',
          'What is left out stays as it is. Orders, and the subscriptions that they started, keep what they were placed with.',
        ),
        params,
        body: change,
        response: { 200: product, ...problems },
      },
    },
    async (request) => {
      const { body } = request;
      const answer = await merchant.updateProduct({
        merchantId: tenantOf(request).merchantId,
        productId: request.params.id,
        name: body.name,
        familyName: body.family_name,
        description: body.description,
        imageUrl: body.image_url,
        vendorCode: body.vendor_code,
        sku: body.sku,
        businessSegment: body.business_segment,
        prices: pricesOf(body.prices ?? []),
        minQuantity: body.min_quantity,
        published: body.published,
        archived: body.archived,
        delivery: body.delivery === undefined ? undefined : deliveryOf(body.delivery),
        subscription: body.subscription === undefined ? undefined : { plan: planOf(body.subscription) },
        metadata: body.metadata === undefined ? undefined : { entries: body.metadata },
      });
      return show(answer.product);
    },
  );
}

function pricesOf(prices: readonly z.infer<typeof moneyIn>[]) {
  return prices.map(({ amount, currency }) => ({ currency, amountMinor: BigInt(amount) }));
}

function deliveryOf(rules: z.infer<typeof delivery>) {
  return {
    method: rules.method,
    oneCodePer: rules.one_code_per,
    sendMail: rules.send_mail,
    showOnOrderPage: rules.show_on_order_page,
    lowWaterMark: rules.low_water_mark,
  };
}

function showProduct(found: Product | undefined, checkoutUrl: string): z.infer<typeof product> {
  if (found === undefined) throw new Refused('product_not_found');
  const rules = found.delivery;
  return {
    id: found.id,
    object: 'product',
    livemode: found.livemode,
    name: found.name,
    family_name: found.familyName,
    description: found.description,
    image_url: found.imageUrl,
    vendor_code: found.vendorCode,
    sku: found.sku,
    business_segment: found.businessSegment,
    prices: found.prices.map((price) => moneyOf(price.amountMinor, price.currency)),
    min_quantity: found.minQuantity,
    published: found.published,
    archived: found.archived,
    delivery: {
      method: rules?.method ?? 'pool',
      one_code_per: rules?.oneCodePer ?? 'unit',
      send_mail: rules?.sendMail ?? true,
      show_on_order_page: rules?.showOnOrderPage ?? true,
      low_water_mark: rules?.lowWaterMark ?? 0,
    },
    subscription: showPlan(found.subscription),
    checkout_url: `${checkoutUrl}/basket/add/${found.id}`,
    metadata: found.metadata,
    created_at: madeAt(found.createdAt),
  };
}
