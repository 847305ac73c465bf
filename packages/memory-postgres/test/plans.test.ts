/**
 * No statement reads a table that grows from end to end, whatever the planner believes of its size. A plan is made once in a
 * session and kept (packages/database/src/pools.ts): one that is right while nothing waits, or while a shop is small, is still
 * there when a hundred thousand webhooks wait.
 */
import { openDatabase } from '@tillstream/database/database';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '@tillstream/testkit/database';
import { homeOf } from './homes.ts';
import statements from './statements.json' with { type: 'json' };
import { fillTables } from './tables.ts';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Plan[];
}

// Few rows, whatever a shop sells: of processes, of shards, of partitions, of test clocks, of messages that wait for a person.
const small = new Set(
  'dispatcher shard_lease partition_head group_member group_offset topic merchant_clock test_clock clock_advance parked_message'.split(
    ' ',
  ),
);
// What is to be read from end to end, or from its end on, and why.
const meant: readonly { readonly reads: string; readonly as: RegExp; readonly why: string }[] = [
  { reads: 'outbox_unsent', as: /^/, why: 'all that is not sent is sent, or counted' },
  { reads: 'outbox_pkey', as: /order by id limit/, why: 'the sweeper looks at the oldest' },
  { reads: 'inbox_pkey', as: /seen_at < now\(\)/, why: 'the sweeper stops at the first that are old enough' },
  { reads: 'timer_lease', as: /leased_until < now\(\)/, why: 'the sweeper looks at all: as many as fire just now' },
  {
    reads: 'delivery_waiting_of_subject',
    as: /'exhausted'/,
    why: 'now and then all that waits is looked at: is it too old?',
  },
  {
    reads: 'delivery_waiting_of_subject',
    as: /delete from event/,
    why: 'now and then what may go is told from what still waits',
  },
  { reads: 'endpoint', as: /insert into delivery/, why: 'here three merchants have them all' },
  { reads: 'callback', as: /limit 50 for update/, why: 'of sixty that there are it may be told fifty' },
  { reads: 'callback_open', as: /count\(\*\)/, why: 'what is received and not applied; a test clock waits for it' },
];
// What tests ask for with a service's own connection.
const ofTests = [
  /^\s*select mail\.kind, mail\.about, job\.state/,
  /^\s*select coalesce\(max\(version\)/,
  /^update "attempt" set "due_at"/,
  /"account"\."name" = /,
];

function readsAll(plan: Plan, text: string): string[] {
  const { 'Node Type': type, 'Relation Name': table = '', 'Index Name': index = '' } = plan;
  const condition = plan['Index Cond'];
  const isScan = type === 'Seq Scan' || (type.startsWith('Index') && condition === undefined);
  // A merchant's list that is a range of everybody's rows, of which his may be few.
  const isOfAll = condition !== undefined && !condition.includes(' = ') && /merchant_id"? = \$/.test(text);
  const isMeant =
    small.has(table) || meant.some(({ reads, as }) => (reads === index || reads === table) && as.test(text));
  return [
    ...((isScan || isOfAll) && !isMeant ? [`${type} of ${table} ${index} ${condition ?? ''}`.trim()] : []),
    ...(plan.Plans ?? []).flatMap((each) => readsAll(each, text)),
  ];
}

/** What wants a whole table says so: tests do. */
const wantsSome = (text: string): boolean =>
  !ofTests.some((each) => each.test(text)) && /\b(where|join|limit|on conflict|values|unnest)\b/i.test(text);

describe.each([
  ['a new shop', undefined],
  ['a small shop', 60],
  ['a shop where nothing waits', 3_000],
] as const)('in %s', (_, rows) => {
  test.each(Object.entries(statements))('the statements of %s read what they ask for', async (schema, texts) => {
    const home = homeOf(schema);
    const database = await testDatabase(home);
    const service = openDatabase({ url: database.url, schema: home.schema, applicationName: 'plans' });
    try {
      if (rows !== undefined) await fillTables(database.admin, home.schema, rows);
      const wrong: string[] = [];
      for (const text of texts.filter(wantsSome)) {
        const { rows: found } = await service.pool.query<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>(
          `explain (generic_plan, format json) ${text}`,
        );
        const scans = found.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan: plan }) => readsAll(plan, text)));
        if (scans.length > 0) wrong.push(`${scans.join('; ')}:\n${text}`);
      }
      expect(wrong).toEqual([]);
    } finally {
      await service.close();
      await database.drop();
    }
  });
});
