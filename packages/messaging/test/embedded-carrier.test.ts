import { randomUUID } from 'node:crypto';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { testDatabase } from '@tillstream/testkit/database';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { carrierHome } from '@tillstream/messaging/migrations';
import { expect, test } from 'vitest';
import { describeCarrier, messageTo } from './carrier-contract.ts';
import { startMember } from './start-member.ts';

describeCarrier('embedded', async () => {
  const place = await testDatabase(carrierHome);
  return {
    open: () => embeddedCarrier({ url: place.url, log: quietLog(), maxConnections: 4 }),
    member: async (topic, group) => startMember({ kind: 'embedded', address: place.url, topic, group }),
    stop: () => place.drop(),
  };
});

test('a member that dies just after the others have shared with it leaves nothing unheard', async () => {
  const place = await testDatabase(carrierHome);
  const carrier = embeddedCarrier({ url: place.url, log: quietLog(), maxConnections: 4 });
  try {
    const [topic, dead] = ['test.shared.v1', randomUUID()];
    await carrier.declare([{ name: topic, partitions: 4 }]);
    await place.admin.query(
      `insert into carrier.group_member (consumer_group, member, topics, seen_at) values ('late', $1, array[$2], now())`,
      [dead, topic],
    );
    await place.admin.query(
      `insert into carrier.group_offset (consumer_group, topic, partition, owner, epoch) select 'late', $2, n, $1, 1 from generate_series(0, 3) n`,
      [dead, topic],
    );
    // Its ten seconds are over with the commit in which the other one has left it its half.
    await place.admin.query(`
      create function carrier.expire() returns trigger language plpgsql as
      $$ begin update carrier.group_member set seen_at = now() - interval '11 seconds' where member = '${dead}'; return null; end $$`);
    await place.admin.query(`
      create constraint trigger dies after insert on carrier.group_member deferrable initially deferred
      for each row when (new.member <> '${dead}') execute function carrier.expire()`);
    await place.admin.query('grant execute on function carrier.expire() to public');
    const heard: string[] = [];
    await carrier.subscribe({
      group: 'late',
      topics: [topic],
      handle: async (batch) => void heard.push(...batch.map(({ key }) => key)),
    });
    const keys = Array.from({ length: 20 }, (_, at) => `key ${at}`);
    await carrier.publish(keys.map((key) => messageTo(topic, key, 'said')));
    await eventually(() => new Set(heard).size === keys.length, 15_000);
    expect(heard.toSorted()).toEqual(keys.toSorted());
  } finally {
    await carrier.close();
    await place.drop();
  }
});
