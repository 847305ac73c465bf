/** What may go wrong at an operation. A history's faults are a list, so that they can be left out one by one. */

export const faultKinds = [
  /** The process that asked is killed before, or after the operation took effect. */
  'crash before',
  'crash after',
  /** It did not arrive; or it took effect and the answer was lost. */
  'lost before',
  'lost after',
  /** It waits while time goes by. */
  'delay',
  /** The other side answers that it cannot now. */
  'refused',
  /** It happens twice. */
  'doubled',
  /** The group's offset goes back; the member is thought dead, its partitions go to another, and it commits late. */
  'rewind',
  'zombie',
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  /** The number of the operation from which on it strikes the first that it can. */
  readonly at: number;
  readonly kind: FaultKind;
  /** Only operations that are, or begin with, these words, with the name of whose they are or without; absent = any. */
  readonly on?: string;
  /** Not before an operation that is, or begins with, these words: what comes of it is meant. */
  readonly after?: string;
  /** How long it waits, when it is a delay. */
  readonly ms?: number;
}

function isMeant({ on }: Fault, label: string, whose: string): boolean {
  return on === undefined || label.startsWith(on) || (on.startsWith(whose) && `${whose} ${label}`.startsWith(on));
}

/** Faults in the order of their places; each strikes once. */
export class FaultPlan {
  #waiting: Fault[];
  /** Those whose operation has come by. */
  readonly #armed = new Set<Fault>();
  /** Those that have struck. */
  struck = 0;

  constructor(faults: readonly Fault[]) {
    this.#waiting = faults.toSorted((a, b) => a.at - b.at);
  }

  /** The fault that strikes this operation, if one does. */
  strike(number: number, possible: readonly FaultKind[], label: string, whose: string): Fault | undefined {
    for (let nth = 0; nth < this.#waiting.length; nth += 1) {
      const fault = this.#waiting[nth];
      if (fault === undefined || fault.at > number) return undefined;
      if (fault.after !== undefined && !this.#armed.has(fault)) {
        if (label.startsWith(fault.after)) this.#armed.add(fault);
        continue;
      }
      if (!possible.includes(fault.kind) || !isMeant(fault, label, whose)) continue;
      this.#waiting.splice(nth, 1);
      this.struck += 1;
      return fault;
    }
    return undefined;
  }

  /** From now on everything works. */
  end(): void {
    this.#waiting = [];
  }
}
