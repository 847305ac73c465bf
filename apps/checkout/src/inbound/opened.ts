/** An order that somebody with its token has opened. */
import type { OpenOrderResponse, Order } from '@tillstream/proto/order/v1/order_api';
import { Refused } from '@tillstream/rpc/refusals';
import type { Frame, OrderView } from '../pages/view.ts';
import type { RouteParts } from './clients.ts';
import { orderViewOf, shopOfOrder } from './views.ts';
import type { Visit } from './visit.ts';

export interface Opened {
  readonly frame: Frame;
  readonly view: OrderView;
}

export async function open(
  visit: Visit,
  parts: RouteParts,
  how: { refresh: boolean; withCodes: boolean },
): Promise<Opened> {
  const opened: OpenOrderResponse = await parts.order.openOrder({ ...keyOf(visit), ...how });
  const order: Order | undefined = opened.order;
  if (order === undefined) throw new Refused('order_not_found');
  const locale = visit.localeFor(order.locale);
  return {
    frame: visit.frame({ locale, shop: shopOfOrder(opened), isTest: !order.livemode }),
    view: orderViewOf(opened, order, locale, new Date()),
  };
}

/**
 * Whether a token has the form of one is no secret; whether it is the right one is for the order service to say, which
 * takes the same time for every wrong one.
 */
export function keyOf(visit: Visit): { orderId: bigint; token: string } {
  const { order = '', token = '' } = visit.params;
  if (!/^\d{1,15}$/.test(order) || !/^[0-9a-f]{32}$/.test(token)) throw new Refused('order_not_found');
  return { orderId: BigInt(order), token };
}

export function orderPath(order: { readonly id: string; readonly token: string }): string {
  return `/order/status/${order.id}/${order.token}`;
}
