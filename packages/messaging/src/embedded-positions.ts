/** How far the groups of this process are, written for all of them together. */
import type { AnyDatabase } from '@tillstream/database/database';
import { probe } from '@tillstream/telemetry/probe';
import { commitOffsets, nameOf, type Member, type Share } from './embedded-shares.ts';

// So long after the first message that it does not tell of, and when somebody asks whether all was heard. A crash gives
// the messages since then again, and the inbox knows them.
const writeAfterMs = 200;

interface Moved {
  readonly member: Member;
  readonly share: Share;
  /** Another owner has taken over: it reads from what was written last. */
  readonly lose: () => void;
}

export class Positions {
  readonly #database: AnyDatabase;
  readonly #moved = new Map<string, Moved>();
  #later: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(database: AnyDatabase) {
    this.#database = database;
  }

  /** The share's `nextOffset` is read when it is written. */
  move(moved: Moved): void {
    this.#moved.set(`${moved.member.id} ${nameOf(moved.share)}`, moved);
    this.#writeSoon();
  }

  /** Resolves when everything that was moved before is written. When it fails it is tried again, whoever asked for it. */
  write(): Promise<void> {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#writeNow());
    this.#writing.catch(() => this.#isClosed || this.#writeSoon());
    return this.#writing;
  }

  /** What is not written by then is given again. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#later);
  }

  #writeSoon(): void {
    this.#later ??= setTimeout(() => void this.write().catch(() => undefined), writeAfterMs);
  }

  async #writeNow(): Promise<void> {
    const moved = [...this.#moved].map(([name, each]) => ({ ...each, name, nextOffset: each.share.nextOffset }));
    if (moved.length === 0) return;
    const kept = await commitOffsets(this.#database, moved);
    probe('offset committed');
    for (const { name, member, share, nextOffset, lose } of moved) {
      const isKept = kept.has(`${member.group} ${share.topic} ${share.partition}`);
      if (!isKept || share.nextOffset === nextOffset) this.#moved.delete(name);
      if (!isKept) lose();
    }
  }
}
