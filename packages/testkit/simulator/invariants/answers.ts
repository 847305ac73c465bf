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
      ([key, told]) => {
        const all = told.filter(({ status }) => status !== 0);
        // An order goes on living: the answer about it is another where it had to be worked out again.
        const same = new Set(
          all
            .filter(({ isOther }) => !isOther)
            .map(({ what, status, body }) => (what === 'licences' && status === 200 ? '200' : `${status} ${body}`)),
        );
        const other = all.filter(({ isOther, status, body }) => isOther && !isRefused(status, body));
        return [
          ...(same.size > 1 ? [`${key} was answered in ${same.size} ways: ${[...same].join(' and ')}`] : []),
          ...other.map(({ status, body }) => `${key} with something else was answered ${status} ${body}`),
        ];
      },
    );
    return [...complaints, ...miscounted(posted), ...(await doubles(world)), ...(await sentTwice(world))];
  },
};

/** Each upload has one code, which nobody had before. */
function miscounted(posted: World['posted']): readonly string[] {
  return posted
    .filter(({ what, isOther, status }) => what === 'codes' && !isOther && status === 200)
    .filter(({ body }) => !body.includes('"added":1'))
    .map(({ key, body }) => `an upload of one new code under ${key} was told ${body}`);
}

const made = `
  select 'product' as what, merchant_id, name, count(*) as many from merchant.product group by merchant_id, name
  union all select 'api key', merchant_id, name, count(*) from merchant.api_key group by merchant_id, name`;

/** What was said to be made is there once, and what was asked for again was not made again. */
async function doubles({ posted, storage }: World): Promise<readonly string[]> {
  const rows = await storage.look<{ what: string; merchant_id: string; name: string; many: string | bigint }>(made);
  const wanted = new Map(
    posted
      .filter(({ isOther, status }) => !isOther && status === 201)
      .map(({ what, merchantId, name }) => [`${what} ${name} of ${merchantId}`, 0]),
  );
  for (const { what, merchant_id: merchantId, name, many } of rows) {
    const key = `${what} ${name} of ${merchantId}`;
    if (wanted.has(key)) wanted.set(key, Number(many));
  }
  return [...wanted].filter(([, many]) => many !== 1).map(([key, many]) => `${key} was made ${many} times`);
}

/** Licences that were sent again more often than anybody has asked. */
async function sentTwice({ posted, storage }: World): Promise<readonly string[]> {
  const asked = Map.groupBy(
    posted.filter(({ what }) => what === 'licences'),
    ({ orderId }) => String(orderId),
  );
  if (asked.size === 0) return [];
  const rows = await storage.look<{ order_id: string | bigint }>(
    `select order_id from "order".order_history where type = 'orderLicencesAsked'`,
  );
  return [...asked].flatMap(([orderId, requests]) => {
    const keys = new Set(requests.map(({ key }) => key)).size;
    const times = rows.filter((row) => String(row.order_id) === orderId).length;
    return times > keys ? [`the licences of ${orderId} were asked for ${keys} times and sent ${times} times`] : [];
  });
}

function isRefused(status: number, body: string): boolean {
  return status === 422 && body.includes('idempotency_key_reused');
}
