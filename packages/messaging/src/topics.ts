/** Every topic of the product: its name, its partitions and what is in it. Key = order id unless said otherwise. */
import type { TopicDeclaration } from './message.ts';

export interface Topic extends TopicDeclaration {
  /** Fully qualified proto message name: the ce_type of its messages. */
  readonly message: string;
}

// Twelve divides evenly among 1, 2, 3, 4, 6 and 12 replicas of a consumer; more would only cost the broker.
const partitions = 12;

export const orderEvents: Topic = {
  name: 'tillstream.order.events.v1',
  partitions,
  message: 'tillstream.order.v1.OrderEvent',
};
export const paymentEvents: Topic = {
  name: 'tillstream.payment.events.v1',
  partitions,
  message: 'tillstream.payment.v1.PaymentEvent',
};
/** The pool_low event is keyed by product id. */
export const fulfillmentEvents: Topic = {
  name: 'tillstream.fulfillment.events.v1',
  partitions,
  message: 'tillstream.fulfillment.v1.FulfillmentEvent',
};

/** Key = parent order id. */
export const subscriptionEvents: Topic = {
  name: 'tillstream.subscription.events.v1',
  partitions,
  message: 'tillstream.subscription.v1.SubscriptionEvent',
};

export const allTopics: readonly Topic[] = [orderEvents, paymentEvents, fulfillmentEvents, subscriptionEvents];
