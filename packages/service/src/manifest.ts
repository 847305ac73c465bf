/**
 * The services of the product: the one list. Clients, the forms that run it, the tests and the checks are derived from it or
 * compared with it (manifest.test.ts). A new service is a folder in apps/ and one entry here.
 */
import { fulfillmentEvents, orderEvents, paymentEvents, subscriptionEvents } from '@tillstream/messaging/topics';

export interface ServiceEntry {
  /** Its folder in apps/, its process, its consumer group, its name in timelines, logs and traces. */
  readonly name: string;
  /** Its Postgres schema. The role is `tillstream_` and the schema. */
  readonly schema: string;
  /** The configuration key of its gRPC address, and the address where nothing is configured. */
  readonly addressKey: string;
  readonly defaultAddress: string;
  /** The gRPC port of the forms that run several processes on one machine, as an offset from PORT_BASE. */
  readonly portOffset: number;
  /** The topics that it subscribes to. */
  readonly hears: readonly string[];
  /** The topics that it publishes. */
  readonly says: readonly string[];
  /** It answers ClockApi: something in it becomes due by a merchant's clock. */
  readonly hasClock: boolean;
  /** It answers TimelineApi: it knows something of an order. */
  readonly hasTimeline: boolean;
}

/** In the order in which they start. */
export const services = [
  {
    name: 'merchant',
    schema: 'merchant',
    addressKey: 'MERCHANT_ADDRESS',
    defaultAddress: '127.0.0.1:7101',
    portOffset: 10,
    hears: [],
    says: [],
    // It leads the clocks of the others, and stamps nothing that a subscription or an order sees.
    hasClock: false,
    hasTimeline: false,
  },
  {
    name: 'order',
    schema: 'order',
    addressKey: 'ORDER_ADDRESS',
    defaultAddress: '127.0.0.1:7102',
    portOffset: 11,
    hears: [paymentEvents.name, fulfillmentEvents.name, subscriptionEvents.name],
    says: [orderEvents.name],
    hasClock: true,
    hasTimeline: true,
  },
  {
    name: 'payment',
    schema: 'payment',
    addressKey: 'PAYMENT_ADDRESS',
    defaultAddress: '127.0.0.1:7103',
    portOffset: 12,
    hears: [subscriptionEvents.name],
    says: [paymentEvents.name],
    hasClock: true,
    hasTimeline: true,
  },
  {
    name: 'fulfillment',
    schema: 'fulfillment',
    addressKey: 'FULFILLMENT_ADDRESS',
    defaultAddress: '127.0.0.1:7104',
    portOffset: 13,
    hears: [orderEvents.name],
    says: [fulfillmentEvents.name],
    hasClock: true,
    hasTimeline: true,
  },
  {
    name: 'subscription',
    schema: 'subscription',
    addressKey: 'SUBSCRIPTION_ADDRESS',
    defaultAddress: '127.0.0.1:7107',
    portOffset: 16,
    hears: [orderEvents.name, paymentEvents.name],
    says: [subscriptionEvents.name],
    hasClock: true,
    hasTimeline: true,
  },
  {
    name: 'notification',
    schema: 'notification',
    addressKey: 'NOTIFICATION_ADDRESS',
    defaultAddress: '127.0.0.1:7105',
    portOffset: 14,
    hears: [orderEvents.name, fulfillmentEvents.name, subscriptionEvents.name],
    says: [],
    hasClock: true,
    hasTimeline: true,
  },
  {
    name: 'webhook-dispatcher',
    // The schema and the configuration key are older than the name; installations have them.
    schema: 'webhook',
    addressKey: 'WEBHOOK_ADDRESS',
    defaultAddress: '127.0.0.1:7106',
    portOffset: 15,
    hears: [orderEvents.name, paymentEvents.name],
    says: [],
    hasClock: true,
    hasTimeline: true,
  },
] as const satisfies readonly ServiceEntry[];

export type ServiceName = (typeof services)[number]['name'];
export type ServiceWithClock = Extract<(typeof services)[number], { hasClock: true }>['name'];
export type ServiceWithTimeline = Extract<(typeof services)[number], { hasTimeline: true }>['name'];

export const serviceNames: readonly ServiceName[] = services.map(({ name }) => name);

/** The services whose clocks a merchant's test clock moves. */
export const servicesWithClock: readonly ServiceWithClock[] = services.flatMap((each) =>
  each.hasClock ? [each.name] : [],
);

export const servicesWithTimeline: readonly ServiceWithTimeline[] = services.flatMap((each) =>
  each.hasTimeline ? [each.name] : [],
);

export function serviceOf(name: ServiceName): (typeof services)[number] {
  const found = services.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
}

export function addressKeyOf(name: ServiceName): (typeof services)[number]['addressKey'] {
  return serviceOf(name).addressKey;
}

export function roleOf(schema: string): string {
  return `tillstream_${schema}`;
}

/** The address settings of all services, for the environment of a process: key → address. */
export function addressesOf(addressOf: (name: ServiceName) => string): Readonly<Record<string, string>> {
  return Object.fromEntries(services.map(({ name, addressKey }) => [addressKey, addressOf(name)]));
}
