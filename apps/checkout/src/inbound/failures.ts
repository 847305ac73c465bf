/** What a customer sees when something fails: never our own words for it, always what is safe to know and to do. */
import { randomUUID } from 'node:crypto';
import type { Log } from '@tillstream/rpc/contract';
import { refusals, Refused } from '@tillstream/rpc/refusals';
import { currentTraceparent, traceIdOf } from '@tillstream/telemetry/trace';
import { messagePage } from '../pages/message-page.ts';
import type { Told, Words } from '../words/en.ts';
import { show, type Answer } from './answer.ts';
import type { Visit } from './visit.ts';

export function failureAnswer(visit: Visit, error: unknown, log: Log): Answer {
  const frame = visit.frame();
  const { words } = frame.locale;
  if (error instanceof Refused && error.code === 'unavailable') {
    const { title, text, again } = words.unavailable;
    const link = { href: visit.path, text: again };
    return show(messagePage(frame, { told: { title, text }, tone: 'wait', icon: 'clock', link }), 503);
  }
  const status = statusOf(error);
  if (status < 500) {
    const told = status === 413 ? words.tooLarge : status === 429 ? words.tooManyRequests : toldOf(error, words);
    return show(messagePage(frame, { told, tone: 'plain', icon: 'question' }), status);
  }
  // The trace leads support from the page to what happened in every service.
  const reference = traceIdOf(currentTraceparent()) || randomUUID();
  log.error({ err: error, reference }, 'a page could not be answered');
  return show(messagePage(frame, { told: words.failed, tone: 'bad', icon: 'alert', reference }), 500);
}

export function foreignFormAnswer(visit: Visit): Answer {
  const frame = visit.frame();
  return show(messagePage(frame, { told: frame.locale.words.foreignForm, tone: 'plain', icon: 'cross' }), 403);
}

export function notFoundAnswer(visit: Visit, status = 404): Answer {
  const frame = visit.frame();
  return show(messagePage(frame, { told: frame.locale.words.notFound, tone: 'plain', icon: 'question' }), status);
}

function toldOf(error: unknown, words: Words): Told {
  return error instanceof Refused && error.code === 'cart_not_found' ? words.cartGone : words.notFound;
}

function statusOf(error: unknown): number {
  if (error instanceof Refused) return refusals[error.code].http;
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') return error.statusCode;
  return 500;
}
