import { expect } from 'vitest';
import type { Answer } from './running.ts';

/** The one form of everything that is not a success. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body['code']], answer.text).toEqual([status, code]);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    type: `/errors#${code}`,
    status,
    request_id: expect.stringMatching(/^req_/),
    trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(answer.headers['request-id']).toBe(answer.body['request_id']);
}
