/** Pools of licence codes: codes go in, and only counts come out. */
import { wholeNumber } from '@tillstream/public-api/values';
import { Refused } from '@tillstream/rpc/refusals';
import { z } from 'zod';
import type { Clients } from '../clients.ts';
import type { Api } from '../http/api.ts';
import { requestIdOf } from '../http/idempotency.ts';
import { tenantOf } from '../http/tenant.ts';
import { problems, says } from '../shapes.ts';

const mostCodes = 10_000;
// Ten thousand codes of 500 characters, in JSON.
const bodyLimitBytes = 6 * 1024 * 1024;

const upload = z.strictObject({ codes: z.array(z.string().min(1).max(500)).min(1).max(mostCodes) });

const added = z
  .object({
    object: z.literal('licence_code_upload'),
    product: z.string(),
    added: wholeNumber,
    duplicates: wholeNumber.describe('Had before, or twice in this call; not added.'),
  })
  .meta({ id: 'LicenceCodeUpload' });

const summary = z
  .object({
    object: z.literal('licence_code_summary'),
    product: z.string(),
    available: wholeNumber,
    issued: wholeNumber,
    low_water_mark: wholeNumber,
  })
  .meta({ id: 'LicenceCodeSummary' });

const params = z.object({ id: z.string() });

export function addLicenceCodes(api: Api, { merchant, fulfillment }: Pick<Clients, 'merchant' | 'fulfillment'>): void {
  const productOf = async (merchantId: string, id: string) => {
    const [product] = (await merchant.getProducts({ merchantId, productIds: [id] })).products;
    if (product === undefined) throw new Refused('product_not_found');
    return { productId: product.id, lowWaterMark: product.delivery?.lowWaterMark ?? 0 };
  };

  api.post(
    '/products/:id/licence_codes',
    {
      bodyLimit: bodyLimitBytes,
      config: { mayHoldCardNumbers: true },
      schema: {
        ...says(
          'Products',
          'addLicenceCodes',
          'Fill the pool',
          `Up to ${mostCodes} codes at once. Orders that waited for codes are delivered.`,
        ),
        params,
        body: upload,
        response: { 200: added, ...problems },
      },
    },
    async (request) => {
      const { merchantId } = tenantOf(request);
      const { productId, lowWaterMark } = await productOf(merchantId, request.params.id);
      const answer = await fulfillment.addLicenceCodes({
        merchantId,
        productId,
        codes: request.body.codes,
        lowWaterMark,
        requestId: requestIdOf(request),
      });
      return {
        object: 'licence_code_upload' as const,
        product: productId,
        added: answer.added,
        duplicates: answer.duplicates,
      };
    },
  );

  api.get(
    '/products/:id/licence_codes/summary',
    {
      schema: {
        ...says('Products', 'getLicenceCodeSummary', 'How full the pool is'),
        params,
        response: { 200: summary, ...problems },
      },
    },
    async (request) => {
      const { merchantId } = tenantOf(request);
      const { productId, lowWaterMark } = await productOf(merchantId, request.params.id);
      const [pool] = (await fulfillment.getPoolSummaries({ merchantId, productIds: [productId] })).pools;
      return {
        object: 'licence_code_summary' as const,
        product: productId,
        available: pool?.available ?? 0,
        issued: pool?.issued ?? 0,
        low_water_mark: lowWaterMark,
      };
    },
  );
}
