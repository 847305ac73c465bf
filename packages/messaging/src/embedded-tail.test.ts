import { describe, expect, it } from 'vitest';
import { Tail } from './embedded-tail.ts';
import type { IncomingMessage } from './message.ts';

const headers = { ce_id: '', ce_type: '', ce_source: '', ce_time: '', traceparent: '', merchant_id: '' };
const at = (partition: number, ...offsets: number[]): IncomingMessage[] =>
  offsets.map((offset) => ({
    topic: 't',
    key: 'k',
    value: new Uint8Array(),
    headers,
    partition,
    offset: BigInt(offset),
  }));
const from = (partition: number, nextOffset: number) => ({ topic: 't', partition, nextOffset: BigInt(nextOffset) });
const placesOf = (messages: readonly IncomingMessage[] | undefined) =>
  messages?.map((message) => `${message.partition}:${message.offset}`);

describe('what was published last', () => {
  it('is given from where a reader is, a message of each partition in turn', () => {
    const tail = new Tail();
    tail.add([...at(0, 5, 6, 7), ...at(1, 2)]);
    expect(placesOf(tail.from([from(0, 6), from(1, 2), from(2, 0)], 10))).toEqual(['0:6', '1:2', '0:7']);
    expect(placesOf(tail.from([from(0, 5), from(1, 2)], 2))).toEqual(['0:5', '1:2']);
    expect(placesOf(tail.from([from(0, 8), from(1, 3)], 10))).toEqual([]);
    // A reader that is ahead of what we know: others' messages.
    expect(placesOf(tail.from([from(0, 12)], 10))).toEqual([]);
  });

  it('does not answer for a reader that is further behind', () => {
    const tail = new Tail();
    tail.add(at(0, 5));
    expect(tail.from([from(0, 4)], 10)).toBeUndefined();
    tail.add(at(1, ...Array.from({ length: 65 }, (_, nth) => nth)));
    expect(tail.from([from(1, 0)], 10)).toBeUndefined();
    expect(tail.from([from(1, 1)], 100)).toHaveLength(64);
  });

  it('begins anew after another process’s messages, and leaves out what comes late', () => {
    const tail = new Tail();
    tail.add(at(0, 1, 2));
    tail.add(at(0, 5));
    expect(tail.from([from(0, 2)], 10)).toBeUndefined();
    tail.add(at(0, 3, 4));
    expect(tail.from([from(0, 3)], 10)).toBeUndefined();
    expect(placesOf(tail.from([from(0, 5)], 10))).toEqual(['0:5']);
  });
});
