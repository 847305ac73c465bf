/**
 * Time as a merchant lives it. In test mode a merchant may be ahead of the wall (D15); whoever stamps or schedules
 * something of a merchant asks this and never the system.
 */
export interface Clock {
  now(merchantId: string): Date;
  /** The merchants whose clock is not the wall's. Whoever asks Postgres what is due asks for these separately. */
  travellers(): readonly string[];
}

export const wallClock: Clock = { now: () => new Date(), travellers: () => [] };
