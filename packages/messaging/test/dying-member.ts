/** A member of a consumer group that takes a batch, says so, and never ends it: the test kills this process. */
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { kafkaCarrier } from '@tillstream/messaging/kafka-carrier';
import type { Place } from './start-member.ts';

const { kind, address, topic, group } = JSON.parse(process.env['MEMBER'] ?? '') as Place;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const carrier =
  kind === 'kafka'
    ? kafkaCarrier({ brokers: address.split(','), clientId: 'dying', log })
    : embeddedCarrier({ url: address, log });

await carrier.subscribe({
  group,
  topics: [topic],
  handle: () => {
    process.stdout.write('taken\n');
    return new Promise(() => undefined);
  },
});
