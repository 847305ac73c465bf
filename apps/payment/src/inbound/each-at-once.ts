/** Runs all, at most so many at once; the answers in their order. Rejects with the first that throws. */
export async function eachAtOnce<T, R>(
  all: readonly T[],
  atOnce: number,
  run: (each: T) => Promise<R>,
): Promise<readonly R[]> {
  const answers: R[] = [];
  const waiting = all.entries();
  const work = async () => {
    for (const [at, each] of waiting) answers[at] = await run(each);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, work));
  return answers;
}
