import { quietLog } from '@tillstream/testkit/log';
import { testDatabase } from '@tillstream/testkit/database';
import { embeddedCarrier } from '../src/embedded-carrier.ts';
import { carrierHome } from '../src/migrations.ts';
import { describeCarrier } from './carrier-contract.ts';

describeCarrier('embedded', async () => {
  const place = await testDatabase(carrierHome);
  return {
    open: () => embeddedCarrier({ url: place.url, log: quietLog(), maxConnections: 4 }),
    place: { kind: 'embedded', address: place.url },
    stop: () => place.drop(),
  };
});
