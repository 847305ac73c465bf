/**
 * Named moments between which a crash, a pause or a lost answer makes a difference. Whoever wants to stop a process exactly
 * there (`npm run torture`) subscribes to the channel; where nobody does, a moment costs one comparison.
 */
import { channel } from 'node:diagnostics_channel';

/** The moments, in the order in which a unit of work meets them. */
export const moments = {
  'request parsed': 'an edge or a service has read what is asked and has done nothing yet',
  'idempotency claimed': 'the row of an Idempotency-Key is committed as being worked on',
  'transaction open': 'everything is written, COMMIT is not sent',
  'commit sent': 'COMMIT is on its way, its answer is not read',
  'request done': 'the work is committed, the answer is not given',
  'relay read': 'rows of the outbox are read, nothing is published',
  'relay published': 'the carrier has taken the messages, they are not marked as sent',
  'message fetched': 'messages are given to a consumer, nothing is done',
  'inbox open': 'a message is noted in the inbox, nothing is committed',
  'inbox committed': 'what messages cause is committed, their offset is not',
  'offset committed': 'the offset of messages is committed',
  'job leased': 'a worker has taken something up and has done nothing',
  'job run': 'what a job calls has answered, its result is not written',
  'call sent': 'something outside is being called',
  'call answered': 'something outside has answered, nothing is recorded',
  stopping: 'an orderly stop is under way',
  migrating: 'a migration is written, its COMMIT is not sent',
  'attempt not sent': 'payment: an attempt is recorded and leased, the provider does not know of it',
  'attempt answered': 'payment: the provider has done its part, we have not recorded it',
  'callback kept': "payment: a provider's callback is stored, not applied",
  'code locked': 'fulfillment: codes of a pool are locked for a delivery',
  'licence minted': 'fulfillment: a licence is written, nobody has heard of it',
  'licence shown': 'fulfillment: licences are read for somebody, who does not have them yet',
  'renewal due': 'subscription: a term is due and recorded, no charge exists',
  'term paid': 'subscription: a renewal is charged, the term is not extended',
  'webhook not sent': 'webhook-dispatcher: an attempt is begun, nothing is sent',
  'webhook answered': 'webhook-dispatcher: the receiver has answered, nothing is recorded',
  'mail accepted': 'notification: the mail server has taken a mail, it is not marked as sent',
} as const;

export type Moment = keyof typeof moments;

export const probeChannel = 'tillstream:probe';
const probes = channel(probeChannel);

/** Says synchronously that this moment is now. Must not carry anything of a customer. */
export function probe(moment: Moment): void {
  if (probes.hasSubscribers) probes.publish(moment);
}
