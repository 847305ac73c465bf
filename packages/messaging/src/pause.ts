/** A pause for gathering that whoever waits for what is gathered can cut short. */
export class Pause {
  #isCut = false;
  #end: (() => void) | undefined;

  /** Resolves after `ms`, or when it is cut; at once when that was said before. Answers whether it was cut. */
  async rest(ms: number): Promise<boolean> {
    if (!this.#isCut && ms > 0) {
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

  cut(): void {
    this.#isCut = true;
    this.#end?.();
  }
}
