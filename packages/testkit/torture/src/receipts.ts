/** What receivers got, held against what the product calls delivered. */
import { publicId } from '@tillstream/database/public-id';
import type { Client } from 'pg';
import type { Evidence } from './checker.ts';
import type { Received } from './receivers.ts';

interface Row {
  readonly id: string;
  readonly url: string;
  readonly order_id: string;
  readonly position: string;
  readonly type: string;
  readonly status: string;
}

export async function checkReceivers(
  client: Client,
  { receivers }: Pick<Evidence, 'receivers'>,
  say: (what: string) => void,
): Promise<{ webhooks: number; repeatedWebhooks: number }> {
  const { rows } = await client.query<Row>(
    `select d.event_id::text as id, e.url, d.order_id::text, d.position::text, v.type, d.status
     from webhook.delivery d join webhook.endpoint e on e.id = d.endpoint_id join webhook.event v on v.id = d.event_id
     order by d.order_id, d.position`,
  );
  let repeated = 0;
  const givenTo = new Map<string, string>();
  for (const receiver of receivers) {
    const owed = new Map(rows.filter((row) => row.url === receiver.url).map((row) => [publicId('evt', row.id), row]));
    const accepted = Map.groupBy(
      receiver.received.filter((each) => each.answered === 200),
      (each) => each.webhookId,
    );
    for (const [id, row] of owed) {
      if (row.status !== 'delivered') say(`webhook ${id} of order ${row.order_id} is ${row.status}`);
      else if (!accepted.has(id))
        say(`webhook ${id} of order ${row.order_id} is called delivered, and its receiver has not taken it`);
    }
    for (const each of receiver.received) {
      const row = owed.get(each.webhookId);
      if (!each.isSigned) say(`webhook ${each.webhookId} has a signature that does not fit`);
      if (row === undefined) say(`webhook ${each.webhookId} came, and nobody knows of it`);
      else if (row.order_id !== String(each.orderId) || row.type !== each.event)
        say(`webhook ${each.webhookId} came with another content`);
      for (const code of each.codes) {
        const owner = givenTo.get(code);
        if (owner !== undefined && owner !== String(each.orderId))
          say(`one code was given to the orders ${owner} and ${each.orderId}`);
        givenTo.set(code, String(each.orderId));
      }
    }
    repeated += [...accepted.values()].reduce((sum, times) => sum + times.length - 1, 0);
    checkOrder(receiver.received, owed, say);
  }
  return { webhooks: rows.length, repeatedWebhooks: repeated };
}

/** What an order's story tells reaches its receiver in order; repeated is what came before, never what comes later. */
function checkOrder(received: readonly Received[], owed: ReadonlyMap<string, Row>, say: (what: string) => void): void {
  for (const [orderId, story] of Map.groupBy(received, (each) => each.orderId)) {
    const seen = new Set<string>();
    let furthest = 0n;
    for (const { webhookId, answered } of story) {
      const position = BigInt(owed.get(webhookId)?.position ?? '0');
      if (position < furthest && !seen.has(webhookId))
        say(`order ${orderId}: webhook ${webhookId} came for the first time after a later one`);
      if (answered !== 200) continue;
      seen.add(webhookId);
      if (position > furthest) furthest = position;
    }
  }
}
