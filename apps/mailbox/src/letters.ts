/** The messages that were received, newest first; kept in a file of JSON lines so that a restart finds them. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import PostalMime from 'postal-mime';

export interface Letter {
  readonly id: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly message_id: string;
  readonly received_at: string;
}

// A developer reads the newest few; ten thousand letters of 20 kB are the most the process should hold.
const kept = 1_000;

export class Letters {
  #letters: Letter[] = [];
  #nextId = 1;
  readonly #file: string | undefined;

  /** `file` undefined = nothing is kept over a restart. */
  constructor(file: string | undefined) {
    this.#file = file;
    if (file !== undefined && existsSync(file)) {
      const lines = readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
      // A last line that a crash cut short is dropped.
      this.#letters = lines.flatMap((line) => readLetter(line)).slice(-kept);
      this.#nextId = (this.#letters.at(-1)?.id ?? 0) + 1;
      writeFileSync(file, this.#letters.map((letter) => `${JSON.stringify(letter)}\n`).join(''));
    }
  }

  /** Takes one message as it came over SMTP. */
  async receive(raw: Uint8Array, from: string, to: readonly string[]): Promise<void> {
    const parsed = await PostalMime.parse(raw);
    const letter: Letter = {
      id: this.#nextId++,
      from: parsed.from?.address ?? from,
      to,
      subject: parsed.subject ?? '',
      text: parsed.text ?? '',
      html: parsed.html ?? '',
      message_id: parsed.messageId ?? '',
      received_at: new Date().toISOString(),
    };
    this.#letters.push(letter);
    if (this.#letters.length > kept) this.#letters.shift();
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(letter)}\n`);
  }

  newestFirst(): readonly Letter[] {
    return this.#letters.toReversed();
  }

  find(id: number): Letter | undefined {
    return this.#letters.find((letter) => letter.id === id);
  }
}

function readLetter(line: string): Letter[] {
  try {
    const letter: Letter = JSON.parse(line);
    return [letter];
  } catch {
    return [];
  }
}
