/** Ids and chance of the code under test come from the seed: the built-in sources are replaced while a history runs. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { Random } from './random.ts';

const real = {
  randomUUID: crypto.randomUUID,
  randomUUIDv7: crypto.randomUUIDv7,
  randomBytes: crypto.randomBytes,
  randomInt: crypto.randomInt,
  webUUID: globalThis.crypto.randomUUID.bind(globalThis.crypto),
  random: Math.random,
};

type Uuid = `${string}-${string}-${string}-${string}-${string}`;

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function format(bytes: Uint8Array): Uuid {
  const h = (at: number) => hex[bytes[at] ?? 0] ?? '';
  return `${h(0)}${h(1)}${h(2)}${h(3)}-${h(4)}${h(5)}-${h(6)}${h(7)}-${h(8)}${h(9)}-${h(10)}${h(11)}${h(12)}${h(13)}${h(14)}${h(15)}`;
}

/** Replaces them; `seed` before each history. */
export class SeededIds {
  #random = new Random(0);

  seed(seed: number): void {
    this.#random = new Random(seed, 7);
  }

  install(): void {
    const uuid = (version: number, ms?: number): Uuid => {
      const bytes = new Uint8Array(16);
      this.#random.bytes(bytes);
      if (ms !== undefined) for (let at = 0; at < 6; at += 1) bytes[at] = Math.floor(ms / 256 ** (5 - at)) & 255;
      bytes[6] = ((bytes[6] ?? 0) & 15) | (version << 4);
      bytes[8] = ((bytes[8] ?? 0) & 63) | 128;
      return format(bytes);
    };
    const bytesOf = (size: number): Buffer => {
      const bytes = Buffer.alloc(size);
      this.#random.bytes(bytes);
      return bytes;
    };
    Object.assign(crypto, {
      randomUUID: () => uuid(4),
      randomUUIDv7: () => uuid(7, Date.now()),
      randomBytes: bytesOf,
      randomInt: (from: number, to?: number) =>
        to === undefined ? this.#random.below(from) : from + this.#random.below(to - from),
    });
    globalThis.crypto.randomUUID = () => uuid(4);
    Math.random = () => this.#random.fraction();
    syncBuiltinESMExports();
  }

  uninstall(): void {
    const { webUUID, random, ...own } = real;
    Object.assign(crypto, own);
    globalThis.crypto.randomUUID = webUUID;
    Math.random = random;
    syncBuiltinESMExports();
  }
}
