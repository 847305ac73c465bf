/** What a stranger's JSON says in words, wherever it says it. */
export interface PlacedText {
  /** As the public API names the field, such as metadata.note; '' is the value itself. A key is at the place that holds it. */
  readonly path: string;
  readonly text: string;
}

export function* textsIn(value: unknown): Generator<PlacedText> {
  // A list of places instead of recursion: JSON may be a hundred thousand levels deep.
  const places: { readonly path: string; readonly value: unknown }[] = [{ path: '', value }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { path } = place;
    if (typeof place.value === 'string') yield { path, text: place.value };
    if (typeof place.value !== 'object' || place.value === null) continue;
    const isList = Array.isArray(place.value);
    for (const [key, inner] of Object.entries(place.value)) {
      if (!isList) yield { path, text: key };
      if (typeof inner === 'string' || typeof inner === 'object')
        places.push({ path: step(path, key, isList), value: inner });
    }
  }
}

/** Postgres keeps no NUL, and half a surrogate pair is no character: neither would come back as it was given. */
export function canBeKept(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function step(path: string, key: string, isList: boolean): string {
  const longer = isList ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
  return longer.slice(0, 200);
}
