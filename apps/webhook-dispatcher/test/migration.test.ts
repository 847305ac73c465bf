/** Rows of the time when every event was about an order get their subject, and their chains go on. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { migrate, type ServiceHome } from '@tillstream/database/migrate';
import { testDatabase } from '@tillstream/testkit/database';
import { expect, test } from 'vitest';
import { home } from '../src/app.ts';
import { loadHeads } from '../src/outbound/rows/heads.ts';

const merchant = '0198c0de-0000-7000-8000-000000000001';
const endpoint = '0198c0de-0000-7000-8000-0000000000e1';

test('old rows are about their order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'webhook-migration-'));
  const own = fileURLToPath(home.migrations);
  // The folder's name is part of the names under which applied files are kept.
  const old = join(folder, 'webhook-dispatcher', 'migrations');
  for (const file of readdirSync(own).filter((each) => each < '0005')) cpSync(join(own, file), join(old, file));
  const before: ServiceHome = { ...home, migrations: pathToFileURL(`${old}/`) };
  const database = await testDatabase(before);
  try {
    await database.admin.query(`
      set tillstream.every_merchant = 'on';
      insert into webhook.endpoint (id, merchant_id, livemode, shard, url, events, description, status, sign_seed, sign_standard, secrets, metadata, resumed_at)
      values ('${endpoint}', '${merchant}', false, 0, 'https://example.com', '{}', '', 'active', true, true, '', '{}', now());
      insert into webhook.event (id, merchant_id, livemode, source_event_id, item_id, type, order_id, position, occurred_at, body, traceparent)
      select gen_random_uuid(), '${merchant}', false, gen_random_uuid(), 1, 'order.created', 1000 + n / 2, n, now(), '', '' from generate_series(1, 20) n;
      insert into webhook.delivery (merchant_id, endpoint_id, event_id, shard, order_id, position, status, due_at, done_at)
      select merchant_id, '${endpoint}', id, 0, order_id, position, case when position < 4 then 'delivered' else 'waiting' end, now(),
        case when position < 4 then now() end
      from webhook.event`);
    const applied = await migrate({ adminUrl: database.adminUrl, home, password: 'only-for-tests' });
    expect(applied).toEqual(
      readdirSync(own)
        .filter((each) => each >= '0005')
        .map((each) => `webhook-dispatcher/${each}`),
    );
    for (const table of ['event', 'delivery']) {
      const { rows } = await database.admin.query<{ n: string }>(
        `select count(*) as n from webhook.${table} where subject_kind = 'order' and subject_id = order_id::text`,
      );
      expect([table, Number(rows[0]?.n)]).toEqual([table, 20]);
    }
    const { rows: profiles } = await database.admin.query(
      'select distinct e.payload_profile as of_endpoint, v.payload_profile as of_event from webhook.endpoint e, webhook.event v',
    );
    expect(profiles).toEqual([{ of_endpoint: 'seed', of_event: 'seed' }]);
    // Of order 1002 the events 4 and 5 wait: the first of them is sent next.
    const chain = { endpointId: endpoint, subjectKind: 'order', subjectId: '1002' };
    const [head] = await loadHeads(database.open<object>(), [chain]);
    const { rows: firsts } = await database.admin.query<{ position: string }>(
      'select position from webhook.delivery where id = $1',
      [head?.deliveryId],
    );
    expect(firsts.map((row) => Number(row.position))).toEqual([4]);
  } finally {
    await database.drop();
    rmSync(folder, { recursive: true });
  }
});
