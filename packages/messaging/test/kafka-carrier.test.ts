import { findBroker } from '@tillstream/testkit/broker';
import { quietLog } from '@tillstream/testkit/log';
import { expect, it } from 'vitest';
import { kafkaCarrier } from '@tillstream/messaging/kafka-carrier';
import { describeCarrier } from './carrier-contract.ts';

const broker = await findBroker();
if (broker === undefined) {
  it('is told to go on without Kafka', () => {
    expect(process.env['TILLSTREAM_REQUIRE_KAFKA']).not.toBe('1');
  });
} else {
  describeCarrier('Kafka', async () => ({
    open: () => kafkaCarrier({ brokers: broker.addresses, clientId: 'contract', log: quietLog() }),
    place: { kind: 'kafka', address: broker.addresses.join(',') },
    stop: () => broker.stop(),
  }));
}
