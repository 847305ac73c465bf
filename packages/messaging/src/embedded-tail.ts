/**
 * What this process published last on the embedded carrier. Its own groups take it from here instead of reading it back
 * from the log; whoever is further behind, or hears of another process's messages, reads the log.
 */
import type { IncomingMessage } from './message.ts';

// Who is further behind reads whole batches from the log, which is cheaper then.
const mostPerPartition = 64;

interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: bigint;
}

export class Tail {
  readonly #kept = new Map<string, IncomingMessage[]>();

  /** Committed messages, in the order of their offsets. */
  add(messages: readonly IncomingMessage[]): void {
    for (const message of messages) {
      const name = `${message.topic} ${message.partition}`;
      const kept = this.#kept.get(name) ?? [];
      const last = kept.at(-1);
      // Two publications crossed: what comes late here is in the log.
      if (last !== undefined && message.offset <= last.offset) continue;
      // Another process's messages lie between.
      if (last !== undefined && message.offset !== last.offset + 1n) kept.length = 0;
      kept.push(message);
      if (kept.length > mostPerPartition) kept.shift();
      this.#kept.set(name, kept);
    }
  }

  /**
   * At most `size` messages from these positions on, one of each partition in turn. It knows only what this process
   * published; undefined = something before that is missing here, so the log must be read.
   */
  from(positions: readonly Position[], size: number): readonly IncomingMessage[] | undefined {
    const ahead: (readonly IncomingMessage[])[] = [];
    for (const { topic, partition, nextOffset } of positions) {
      const kept = this.#kept.get(`${topic} ${partition}`);
      const first = kept?.[0];
      if (kept === undefined || first === undefined) continue;
      if (first.offset > nextOffset) return undefined;
      const rest = kept.slice(Number(nextOffset - first.offset));
      if (rest.length > 0) ahead.push(rest);
    }
    const taken: IncomingMessage[] = [];
    for (let nth = 0; nth < mostPerPartition; nth += 1) {
      for (const messages of ahead) {
        const message = messages[nth];
        if (message === undefined) continue;
        if (taken.length === size) return taken;
        taken.push(message);
      }
    }
    return taken;
  }
}
