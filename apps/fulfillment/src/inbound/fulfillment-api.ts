/** Answers FulfillmentApi: checks, asks, refuses. */
import type {
  FulfillmentApiService,
  Licence,
  OrderKey,
  PoolSummary,
} from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { Refused } from '@tillstream/rpc/refusals';
import type { Handlers } from '@tillstream/rpc/server';
import { mostCodes, readCodes } from '../domain/upload.ts';
import type { CodeUpload } from '../ports.ts';

const [mostOrders, mostProducts, mostFields] = [500, 200, 20];

export function answerFulfillmentApi(stores: {
  addCodes(upload: CodeUpload): Promise<number>;
  readPools(merchantId: string, productIds: readonly string[]): Promise<PoolSummary[]>;
  readLicences(orders: readonly OrderKey[]): Promise<Licence[]>;
}): Handlers<typeof FulfillmentApiService> {
  return {
    async addLicenceCodes({ merchantId, productId, codes, lowWaterMark, requestId }) {
      if (!/^\d{1,18}$/.test(productId)) throw new Refused('product_not_found');
      if (codes.length === 0) throw new Refused('required', { param: 'codes' });
      if (codes.length > mostCodes) throw new Refused('too_many_codes', { param: 'codes' });
      if (lowWaterMark < 0) throw new Refused('invalid_field', { param: 'low_water_mark' });
      const read = readCodes(codes);
      if ('complaints' in read) {
        const fields = read.complaints
          .slice(0, mostFields)
          .map(({ at, code, detail }) => ({ param: `codes[${at}]`, code, detail }));
        const [first] = fields;
        throw new Refused(first?.code ?? 'invalid_field', { ...first, fields });
      }
      const added = await stores.addCodes({ merchantId, productId, codes: read.codes, lowWaterMark, requestId });
      return { added, duplicates: codes.length - added };
    },
    async getPoolSummaries({ merchantId, productIds }) {
      if (productIds.length > mostProducts)
        throw new Refused('invalid_request', { detail: `At most ${mostProducts} products at once.` });
      return { pools: await stores.readPools(merchantId, productIds) };
    },
    async getLicences({ orders }) {
      if (orders.length > mostOrders)
        throw new Refused('invalid_request', { detail: `At most ${mostOrders} orders at once.` });
      return { licences: await stores.readLicences(orders) };
    },
  };
}
