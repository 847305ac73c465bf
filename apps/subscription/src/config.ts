import { z } from 'zod';

/** Nothing of its own: what every process reads is enough. */
export const settings = z.object({});

export type Config = z.infer<typeof settings>;
