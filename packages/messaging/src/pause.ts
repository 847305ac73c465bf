/** A pause for gathering that whoever waits for what is gathered can cut short. */
// Who waits looks again within this time; while somebody does nothing is gathered.
const hasteMs = 100;

export class Pause {
  #isCut = false;
  #hasteUntil = -Infinity;
  #end: (() => void) | undefined;

  /** Resolves after `ms`, or when it is cut; at once when that was said before, or in haste. Answers whether it was cut. */
  async rest(ms: number): Promise<boolean> {
    if (!this.#isCut && ms > 0 && performance.now() > this.#hasteUntil) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#end = () => (clearTimeout(timer), resolve());
      });
      this.#end = undefined;
    }
    const isCut = this.#isCut;
    this.#isCut = false;
    return isCut;
  }

  /** Somebody waits: for a while nothing is gathered. */
  haste(): void {
    this.#hasteUntil = performance.now() + hasteMs;
  }

  /** Somebody waits for what is gathered now. */
  cut(): void {
    this.haste();
    this.#isCut = true;
    this.#end?.();
  }
}
