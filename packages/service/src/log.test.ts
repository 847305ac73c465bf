import { expect, test, vi } from 'vitest';
import { makeLog } from './log.ts';

function record(write: (log: ReturnType<typeof makeLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(makeLog({ service: 'tested', stream: { write: (line: string) => void lines.push(line) } }));
  return lines.map((line): Record<string, unknown> => JSON.parse(line));
}

test('a line has its time, its level as a word and its service', () => {
  const [line] = record((log) => log.info({ machine: 'order', version: 3n }, 'performed'));
  expect(line).toMatchObject({ level: 'info', service: 'tested', machine: 'order', version: '3', msg: 'performed' });
  expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('what is secret or somebody’s is taken out at any depth, however it is spelled', () => {
  const canary = 'canary-4711';
  const text = JSON.stringify(
    record((log) => {
      log.info(
        { authorization: canary, Authorization: canary, apiKey: canary, 'api-key': canary, API_KEY: canary },
        'a',
      );
      log.info(
        { request: { headers: { cookie: canary }, body: { email: canary }, items: [{ codes: [canary] }] } },
        'b',
      );
      log.warn(
        { order: { customer: { firstName: canary } }, licences: [{ code: canary }], token: canary, detailUrl: canary },
        'c',
      );
      log.error({ bytes: Buffer.from(canary), deep: { a: { b: { c: { d: { e: { f: canary } } } } } } }, 'd');
    }),
  );
  expect(text).not.toContain(canary);
  expect(text).toContain('[11 bytes]');
});

test('an error keeps its code, its stack and its cause, and loses what databases and mail servers add', () => {
  const cause = Object.assign(new Error('duplicate key value'), {
    code: '23505',
    detail: 'Key (email)=(jane@example.test) exists',
  });
  const error = Object.assign(new Error('could not save', { cause }), { rejected: ['jane@example.test'] });
  const [line] = record((log) => log.error({ err: error }, 'failed'));
  expect(line).toMatchObject({
    err: { message: 'could not save', cause: { code: '23505', message: 'duplicate key value' } },
  });
  expect(JSON.stringify(line)).toContain('log.test.ts');
  expect(JSON.stringify(line)).not.toContain('jane@');
});

test('a log that cannot be written stops nobody, and says so once', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const log = makeLog({ service: 'tested', file: '/dev/full' });
  for (let round = 0; round < 3; round += 1) {
    log.info('nobody will read this');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await new Promise<void>((resolve) => log.flush(() => resolve()));
  expect(said.mock.calls.map(([line]) => String(line))).toEqual([
    'The log cannot be written (ENOSPC); it goes on with the next start.',
  ]);
  said.mockRestore();
});
