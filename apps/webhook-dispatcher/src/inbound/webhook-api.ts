/** The questions and commands of merchants about their webhooks. */
import { readPublicId } from '@tillstream/database/public-id';
import type { WebhookApiService } from '@tillstream/proto/webhook/v1/webhook_api';
import { Refused, type RefusalCode } from '@tillstream/rpc/refusals';
import type { Handlers } from '@tillstream/rpc/server';
import { typesOf, type EventProfile } from '@tillstream/public-api/webhook-events';
import type {
  DeliveryFilter,
  DeliveryView,
  EndpointChange,
  EndpointRow,
  EventView,
  NewEndpoint,
  Page,
  Secrets,
} from '../ports.ts';
import { toDelivery, toEndpoint, toEvent } from './wire.ts';

/** What the api needs from the rooms behind it; `Query` is a place in a list. */
export interface WebhookRooms<Query> {
  pageQuery(limit: number, after: string | undefined, before: string | undefined): Query;
  /** Why the address is refused, or undefined. */
  refuseUrl(url: string, livemode: boolean): string | undefined;
  readonly endpoints: {
    create(given: NewEndpoint): Promise<{ endpoint: EndpointRow; secrets: Secrets } | undefined>;
    get(merchantId: string, id: string): Promise<EndpointRow | undefined>;
    list(merchantId: string, query: Query): Promise<Page<EndpointRow>>;
    update(merchantId: string, id: string, change: EndpointChange): Promise<EndpointRow | undefined>;
    delete(merchantId: string, id: string): Promise<boolean>;
    rotate(
      merchantId: string,
      id: string,
      seedSecret: string,
      requestId: string,
    ): Promise<{ endpoint: EndpointRow; secrets: Secrets } | undefined>;
  };
  readonly reads: {
    getEvent(merchantId: string, id: string): Promise<EventView | undefined>;
    listEvents(merchantId: string, filter: { type: string; orderId: bigint }, query: Query): Promise<Page<EventView>>;
    getDelivery(merchantId: string, id: string): Promise<DeliveryView | undefined>;
    listDeliveries(merchantId: string, filter: DeliveryFilter, query: Query): Promise<Page<DeliveryView>>;
  };
  readonly byHand: {
    ping(
      merchantId: string,
      endpointId: string,
    ): Promise<{ isDelivered: boolean; httpStatus: number; error: string; tookMs: number } | undefined>;
    resend(merchantId: string, deliveryId: string): Promise<'sent' | undefined>;
  };
  /** The endpoint's address, events or state have changed. */
  changed(endpointId: string): void;
}

const [shortestSecret, longestSecret, longestDescription] = [8, 200, 500];
// An answer that comes after the caller has gone helps nobody.
const answerMarginMs = 300;

export function answerWebhookApi<Query>(rooms: WebhookRooms<Query>): Handlers<typeof WebhookApiService> {
  const { endpoints, reads, byHand } = rooms;
  const page = (request: { limit: number; startingAfter: string; endingBefore: string }, prefix: string) =>
    rooms.pageQuery(
      request.limit,
      cursor(prefix, request.startingAfter, 'starting_after'),
      cursor(prefix, request.endingBefore, 'ending_before'),
    );
  const checkUrl = (url: string, livemode: boolean) => {
    const detail = rooms.refuseUrl(url, livemode);
    if (detail !== undefined) throw new Refused('webhook_url_not_allowed', { param: 'url', detail });
  };

  return {
    async createEndpoint(request) {
      checkUrl(request.url, request.livemode);
      const profile = readProfile(request.payloadProfile);
      checkEvents(request.events, profile);
      checkDescription(request.description);
      checkSeedSecret(request.seedSecret);
      const requestId = request.requestId === '' ? undefined : request.requestId;
      const made = await endpoints.create({ ...request, profile, requestId });
      if (made === undefined) throw new Refused('too_many_endpoints');
      return { endpoint: toEndpoint(made.endpoint), secrets: made.secrets };
    },
    async getEndpoint({ merchantId, endpointId }) {
      return {
        endpoint: toEndpoint(found(await endpoints.get(merchantId, endpointUuid(endpointId)), 'endpoint_not_found')),
      };
    },
    async listEndpoints(request) {
      const { rows, hasMore } = await endpoints.list(request.merchantId, page(request, 'we'));
      return { endpoints: rows.map(toEndpoint), hasMore };
    },
    async updateEndpoint(request) {
      const { merchantId, url, description, status } = request;
      const id = endpointUuid(request.endpointId);
      const before = found(await endpoints.get(merchantId, id), 'endpoint_not_found');
      if (url !== undefined) checkUrl(url, before.livemode);
      if (request.events !== undefined) checkEvents(request.events.events, before.payload_profile);
      if (description !== undefined) checkDescription(description);
      const change = {
        url,
        events: request.events?.events,
        description,
        signSeed: request.signSeed,
        signStandard: request.signStandard,
        status: readStatus(status),
      };
      const row = found(await endpoints.update(merchantId, id, change), 'endpoint_not_found');
      rooms.changed(id);
      return { endpoint: toEndpoint(row) };
    },
    async deleteEndpoint({ merchantId, endpointId }) {
      const id = endpointUuid(endpointId);
      if (!(await endpoints.delete(merchantId, id))) throw new Refused('endpoint_not_found');
      rooms.changed(id);
      return {};
    },
    async rotateSecret({ merchantId, endpointId, seedSecret, requestId }) {
      checkSeedSecret(seedSecret);
      const { endpoint, secrets } = found(
        await endpoints.rotate(merchantId, endpointUuid(endpointId), seedSecret, requestId),
        'endpoint_not_found',
      );
      return { endpoint: toEndpoint(endpoint), secrets };
    },
    async enableEndpoint({ merchantId, endpointId }) {
      const id = endpointUuid(endpointId);
      const row = found(await endpoints.update(merchantId, id, { status: 'active' }), 'endpoint_not_found');
      rooms.changed(id);
      return { endpoint: toEndpoint(row) };
    },
    async pingEndpoint({ merchantId, endpointId }, call) {
      const late = {
        isDelivered: false,
        httpStatus: 0,
        error: 'timeout',
        tookMs: Math.max(0, call.deadline.getTime() - Date.now()),
      };
      const result = await withinDeadline(byHand.ping(merchantId, endpointUuid(endpointId)), call.deadline, late);
      const { isDelivered, httpStatus, error, tookMs } = found(result, 'endpoint_not_found');
      return { succeeded: isDelivered, httpStatus, error, durationMs: Math.round(tookMs) };
    },
    async getEvent({ merchantId, eventId }) {
      const id = found(readPublicId('evt', eventId), 'event_not_found');
      return { event: toEvent(found(await reads.getEvent(merchantId, id), 'event_not_found')) };
    },
    async listEvents(request) {
      const { rows, hasMore } = await reads.listEvents(request.merchantId, request, page(request, 'evt'));
      return { events: rows.map(toEvent), hasMore };
    },
    async getDelivery({ merchantId, deliveryId }) {
      return {
        delivery: toDelivery(
          found(await reads.getDelivery(merchantId, deliveryUuid(deliveryId)), 'delivery_not_found'),
        ),
      };
    },
    async listDeliveries(request) {
      const filter = {
        endpointId: request.endpointId === '' ? undefined : endpointUuid(request.endpointId),
        eventId: request.eventId === '' ? undefined : found(readPublicId('evt', request.eventId), 'event_not_found'),
        status: request.status === '' ? undefined : request.status,
        orderId: request.orderId === 0n ? undefined : request.orderId,
      };
      const { rows, hasMore } = await reads.listDeliveries(request.merchantId, filter, page(request, 'whd'));
      return { deliveries: rows.map(toDelivery), hasMore };
    },
    async resendDelivery({ merchantId, deliveryId }, call) {
      const id = deliveryUuid(deliveryId);
      // A receiver may take longer than the caller waits: the attempt goes on and is found in the list.
      found(await withinDeadline(byHand.resend(merchantId, id), call.deadline, 'sent' as const), 'delivery_not_found');
      return { delivery: toDelivery(found(await reads.getDelivery(merchantId, id), 'delivery_not_found')) };
    },
  };
}

function found<T>(value: T | undefined, code: RefusalCode): T {
  if (value === undefined) throw new Refused(code);
  return value;
}

function endpointUuid(id: string): string {
  return found(readPublicId('we', id), 'endpoint_not_found');
}

function deliveryUuid(id: string): string {
  return found(readPublicId('whd', id), 'delivery_not_found');
}

function cursor(prefix: string, id: string, param: string): string | undefined {
  if (id === '') return undefined;
  const uuid = readPublicId(prefix, id);
  if (uuid === undefined)
    throw new Refused('invalid_field', { param, detail: `This is not an id of the list (${prefix}_…).` });
  return uuid;
}

/** A type without a document in the profile is refused: the endpoint would never get it. */
function checkEvents(events: readonly string[], profile: EventProfile): void {
  const known: readonly string[] = typesOf(profile);
  const unknown = events.find((event) => !known.includes(event));
  if (unknown !== undefined) {
    throw new Refused('unknown_event_type', {
      param: 'events',
      detail: `There is no such event type. Known are ${known.join(', ')}.`,
    });
  }
}

function readProfile(profile: string): EventProfile {
  if (profile === '' || profile === 'seed') return 'seed';
  if (profile === 'standard') return profile;
  throw new Refused('invalid_field', { param: 'payload_profile', detail: 'The profile is seed or standard.' });
}

function readStatus(status: string | undefined): 'active' | 'paused' | undefined {
  if (status === undefined || status === 'active' || status === 'paused') return status;
  throw new Refused('invalid_field', { param: 'status', detail: 'The status can be set to active or paused.' });
}

function checkDescription(description: string): void {
  if (description.length > longestDescription)
    throw new Refused('too_long', { param: 'description', detail: `At most ${longestDescription} characters.` });
}

function checkSeedSecret(secret: string): void {
  if (secret !== '' && (secret.length < shortestSecret || secret.length > longestSecret)) {
    throw new Refused('invalid_field', {
      param: 'secrets.seed',
      detail: `A secret has ${shortestSecret} to ${longestSecret} characters.`,
    });
  }
}

async function withinDeadline<T>(work: Promise<T>, deadline: Date, late: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  // A caller without a deadline waits; a timer holds 24 days at most.
  const ms = Math.min(60_000, Math.max(0, deadline.getTime() - Date.now() - answerMarginMs));
  const over = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late), ms);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
