/** Sleeps until it rings or the time is over; a ring while nobody sleeps is remembered. */
export class Alarm {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#isRung && ms > 0) {
      await new Promise<void>((resolve) => {
        // A longer time does not fit into a timer; the lease wakes everybody much earlier.
        const timer = setTimeout(resolve, Math.min(ms, 60_000));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#isRung = false;
  }
}
