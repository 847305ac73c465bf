import { quietLog } from '@tillstream/testkit/log';
import { testDatabase } from '@tillstream/testkit/database';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { carrierHome } from '@tillstream/messaging/migrations';
import { describeCarrier } from './carrier-contract.ts';
import { startMember } from './start-member.ts';

describeCarrier('embedded', async () => {
  const place = await testDatabase(carrierHome);
  return {
    open: () => embeddedCarrier({ url: place.url, log: quietLog(), maxConnections: 4 }),
    member: async (topic, group) => startMember({ kind: 'embedded', address: place.url, topic, group }),
    stop: () => place.drop(),
  };
});
