/** Asks again until there is an answer; fails with the last reason. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, withinMs = 30_000): Promise<T> {
  const endAt = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < endAt) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited ${withinMs} ms for: ${what}`, { cause: last });
}
