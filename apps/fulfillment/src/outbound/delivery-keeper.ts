/** The rows of deliveries and licences, and what they say to the world. The only place that writes them. */
import { randomUUIDv7 } from 'node:crypto';
import {
  VersionConflict,
  type Change,
  type Loaded,
  type PreparingKeeper,
  type VersionedEvent,
} from '@tillstream/messaging/keeper';
import { announce } from '@tillstream/messaging/once';
import { toMessage } from '@tillstream/messaging/outgoing';
import type { OutgoingMessage } from '@tillstream/messaging/message';
import { fulfillmentEvents } from '@tillstream/messaging/topics';
import { FulfillmentEvent } from '@tillstream/proto/fulfillment/v1/fulfillment_events';
import { sql, type Kysely, type Selectable } from 'kysely';
import { probe } from '@tillstream/telemetry/probe';
import type { Delivery, DeliveryCommand, DeliveryEvent, DeliveryRequest } from '../domain/delivery/delivery.ts';
import type { DeliveryItem } from '../domain/delivery/method.ts';
import { methods } from '../domain/delivery/methods.ts';
import { drawCodes, offerCodes, type DrawnPool, type Want } from './pool.ts';
import type { FulfillmentTables } from './tables.ts';

type Tx = Kysely<FulfillmentTables>;
type DeliveryChange = Change<Delivery, DeliveryEvent>;
const source = 'fulfillment';

export const deliveryKeeper: PreparingKeeper<
  FulfillmentTables,
  Delivery,
  DeliveryEvent,
  DeliveryRequest,
  DeliveryCommand
> = {
  async load(tx, ids) {
    const rows = await tx
      .selectFrom('delivery')
      .selectAll()
      .where('item_id', '=', sql<bigint>`any (${ids.map(BigInt)}::bigint[])`)
      .orderBy('item_id')
      .forNoKeyUpdate()
      .execute();
    return new Map(rows.map((row) => [String(row.item_id), loadedOf(row)]));
  },
  /**
   * Locks the pools after the deliveries, in the order of their keys. A refill locks its pool and only reads the deliveries
   * that wait for it, so the two cannot wait for each other. The deliveries are served in the order of the envelopes.
   */
  async prepare(tx, envelopes, loaded) {
    const deliveries = await loaded;
    const wants = new Map<string, Want>();
    for (const { id, merchantId, command } of envelopes) {
      const item = itemToServe(deliveries.get(id)?.state, command);
      if (item === undefined || wants.has(id)) continue;
      const { productId, codeCount } = methods[item.method].needOf(item);
      wants.set(id, { id, merchantId, productId, count: codeCount });
    }
    const offers = await offerCodes(tx, [...wants.values()]);
    // Two commands of one delivery are offered the same codes: after it took them it is delivered, which is final.
    return envelopes.map(({ id, command }) => ({ ...command, offer: { codeIds: offers.get(id) ?? [] } }));
  },
  async save(tx, changes) {
    await saveDeliveries(tx, changes);
    const delivered = changes.flatMap((change) =>
      change.events.flatMap(({ event, now }) => (event.type === 'itemDelivered' ? [{ change, event, now }] : [])),
    );
    if (delivered.length > 0) await issue(tx, delivered);
  },
  announce: (change) => change.events.map((event) => toWire(change, event)),
};

/** The item that could be delivered by this command, if there is one. */
function itemToServe(state: Delivery | undefined, command: DeliveryRequest): DeliveryItem | undefined {
  if (state === undefined) return command.type === 'requestDelivery' ? command.item : undefined;
  return state.status === 'waiting' ? state.item : undefined;
}

function loadedOf(row: Selectable<FulfillmentTables['delivery']>): Loaded<Delivery> {
  const item: DeliveryItem = {
    orderId: row.order_id,
    itemId: row.item_id,
    productId: row.product_id,
    method: row.method,
    quantity: row.quantity,
    oneCodePer: row.one_code_per,
    firstItemId: row.first_item_id,
    previousItemId: row.previous_item_id,
  };
  const version = Number(row.version);
  return row.status === 'waiting'
    ? { state: { status: 'waiting', item }, version }
    : { state: { status: 'delivered', item, codeCount: row.code_count }, version };
}

async function saveDeliveries(tx: Tx, changes: readonly DeliveryChange[]): Promise<void> {
  const rows = changes.flatMap((change) =>
    change.after.status === 'absent'
      ? []
      : [{ change, ...momentsOf(change), status: change.after.status, item: change.after.item }],
  );
  const fresh = rows.filter((row) => row.change.versionBefore === 0);
  const known = rows.filter((row) => row.change.versionBefore > 0);
  if (fresh.length > 0) {
    await sql`
      insert into delivery (item_id, merchant_id, order_id, product_id, quantity, one_code_per, code_count, first_item_id, previous_item_id, status, version, waiting_since, waiting_trace, delivered_at, delivered_trace, method)
      select * from unnest(
        ${fresh.map((row) => row.item.itemId)}::bigint[], ${fresh.map((row) => row.change.merchantId)}::uuid[], ${fresh.map((row) => row.item.orderId)}::bigint[],
        ${fresh.map((row) => row.item.productId)}::text[], ${fresh.map((row) => row.item.quantity)}::int[], ${fresh.map((row) => row.item.oneCodePer)}::text[],
        ${fresh.map((row) => methods[row.item.method].codeCountOf(row.item))}::int[], ${fresh.map((row) => row.item.firstItemId)}::bigint[], ${fresh.map((row) => row.item.previousItemId)}::bigint[],
        ${fresh.map((row) => row.status)}::text[], ${fresh.map((row) => row.change.version)}::bigint[],
        ${fresh.map((row) => row.waits?.now ?? null)}::timestamptz[], ${fresh.map((row) => row.waits?.traceparent ?? '')}::text[],
        ${fresh.map((row) => row.delivered?.now ?? null)}::timestamptz[], ${fresh.map((row) => row.delivered?.traceparent ?? '')}::text[],
        ${fresh.map((row) => row.item.method)}::text[])`.execute(tx);
  }
  if (known.length > 0) {
    const { numAffectedRows } = await sql`
      update delivery set status = t.status, version = t.version, delivered_at = t.delivered_at, delivered_trace = t.delivered_trace
      from unnest(
        ${known.map((row) => row.item.itemId)}::bigint[], ${known.map((row) => row.change.versionBefore)}::bigint[], ${known.map((row) => row.change.version)}::bigint[],
        ${known.map((row) => row.status)}::text[], ${known.map((row) => row.delivered?.now ?? null)}::timestamptz[], ${known.map((row) => row.delivered?.traceparent ?? '')}::text[]
      ) as t (item_id, version_before, version, status, delivered_at, delivered_trace)
      where delivery.item_id = t.item_id and delivery.version = t.version_before`.execute(tx);
    if (numAffectedRows !== BigInt(known.length)) throw new VersionConflict('delivery');
  }
}

function momentsOf(change: DeliveryChange): {
  waits: VersionedEvent<DeliveryEvent> | undefined;
  delivered: VersionedEvent<DeliveryEvent> | undefined;
} {
  const find = (type: DeliveryEvent['type']) => change.events.find(({ event }) => event.type === type);
  return { waits: find('deliveryWaits'), delivered: find('itemDelivered') };
}

interface Delivered {
  readonly change: DeliveryChange;
  readonly event: Extract<DeliveryEvent, { type: 'itemDelivered' }>;
  readonly now: Date;
}

async function issue(tx: Tx, delivered: readonly Delivered[]): Promise<void> {
  const licences = delivered.flatMap(({ change, event, now }) =>
    event.codeIds.map((codeId, at) => ({
      merchantId: change.merchantId,
      item: event.item,
      unitNo: at + 1,
      codeId,
      now,
    })),
  );
  const drawn = await drawCodes(
    tx,
    licences.map((licence) => licence.codeId),
    licences.map((licence) => licence.now),
  );
  await sql`
    insert into licence (licence_id, merchant_id, order_id, item_id, unit_no, pool_code_id, issued_at)
    select * from unnest(
      ${licences.map(() => randomUUIDv7())}::uuid[], ${licences.map((licence) => licence.merchantId)}::uuid[], ${licences.map((licence) => licence.item.orderId)}::bigint[],
      ${licences.map((licence) => licence.item.itemId)}::bigint[], ${licences.map((licence) => licence.unitNo)}::int[], ${licences.map((licence) => licence.codeId)}::bigint[],
      ${licences.map((licence) => licence.now)}::timestamptz[])`.execute(tx);
  probe('licence minted');
  const low = drawn.flatMap((pool) => {
    const last = delivered.findLast(
      ({ change, event }) => change.merchantId === pool.merchantId && event.item.productId === pool.productId,
    );
    return pool.hasCrossed && last !== undefined ? [{ pool, last }] : [];
  });
  if (low.length === 0) return;
  await announce(
    tx,
    low.map(({ pool, last }) => toPoolLow(pool, last)),
    low.map(({ pool }) => ({
      type: 'pool',
      id: `${pool.merchantId} ${pool.productId}`,
      version: Number(pool.version),
    })),
  );
}

function toWire(change: DeliveryChange, versioned: VersionedEvent<DeliveryEvent>): OutgoingMessage {
  const { event } = versioned;
  const { orderId, itemId } = event.item;
  return encode(
    { ...versioned, merchantId: change.merchantId },
    String(orderId),
    orderId,
    event.type === 'itemDelivered'
      ? { $case: 'itemDelivered', value: { itemId, codeCount: event.codeIds.length } }
      : { $case: 'itemWaiting', value: { itemId, reason: 'pool_empty' } },
  );
}

function toPoolLow(pool: DrawnPool, last: Delivered): OutgoingMessage {
  const { merchantId, productId, available, lowWaterMark } = pool;
  const event = {
    eventId: randomUUIDv7(),
    version: Number(pool.version),
    now: last.now,
    traceparent: last.change.events.at(-1)?.traceparent ?? '',
    merchantId,
  };
  return encode(event, productId, 0n, { $case: 'poolLow', value: { productId, available, lowWaterMark } });
}

function encode(
  event: { eventId: string; version: number; now: Date; traceparent: string; merchantId: string },
  key: string,
  orderId: bigint,
  payload: FulfillmentEvent['payload'],
): OutgoingMessage {
  const { eventId, merchantId, now, traceparent } = event;
  const header = {
    eventId,
    merchantId,
    aggregateVersion: BigInt(event.version),
    occurredAt: now,
    schemaVersion: 1,
    traceparent,
  };
  const value = FulfillmentEvent.encode({ header, orderId, payload }).finish();
  return toMessage(fulfillmentEvents, source, key, { eventId, now, traceparent, merchantId }, value);
}
