/** I11: what merchants' programs were answered at the public API. */
import type { World } from '../world.ts';
import type { Invariant } from './judge.ts';

export const answeredAlike: Invariant = {
  id: 'I11',
  sentence: 'One key has one answer, byte for byte, and does one thing; the same key with something else is refused.',
  async check({ world }) {
    const { posted } = world;
    if (posted.length === 0) return [];
    const complaints = [...Map.groupBy(posted, ({ merchantId, key }) => `${key} of ${merchantId}`)].flatMap(
      ([key, all]) => {
        const same = new Set(all.filter(({ isOther }) => !isOther).map(({ status, body }) => `${status} ${body}`));
        const other = all.filter(({ isOther, status, body }) => isOther && !isRefused(status, body));
        return [
          ...(same.size > 1 ? [`${key} was answered in ${same.size} ways: ${[...same].join(' and ')}`] : []),
          ...other.map(({ status, body }) => `${key} with something else was answered ${status} ${body}`),
        ];
      },
    );
    return [...complaints, ...(await doubles(world))];
  },
};

const made = `
  select 'product' as what, merchant_id, name, count(*) as many from merchant.product group by merchant_id, name
  union all select 'api key', merchant_id, name, count(*) from merchant.api_key group by merchant_id, name`;

/** What was said to be made is there once, and what was asked for again was not made again. */
async function doubles({ posted, storage }: World): Promise<readonly string[]> {
  const rows = await storage.look<{ what: string; merchant_id: string; name: string; many: string | bigint }>(made);
  const wanted = new Map(
    posted
      .filter(({ what, isOther, status }) => what !== 'codes' && !isOther && status === 201)
      .map(({ what, merchantId, name }) => [`${what} ${name} of ${merchantId}`, 0]),
  );
  for (const { what, merchant_id: merchantId, name, many } of rows) {
    const key = `${what} ${name} of ${merchantId}`;
    if (wanted.has(key)) wanted.set(key, Number(many));
  }
  return [...wanted].filter(([, many]) => many !== 1).map(([key, many]) => `${key} was made ${many} times`);
}

function isRefused(status: number, body: string): boolean {
  return status === 422 && body.includes('idempotency_key_reused');
}
