/** What a merchant may put into a pool. */

export interface CodeComplaint {
  /** Its place in the list, from 0. */
  readonly at: number;
  readonly code: 'required' | 'too_long' | 'invalid_field';
  readonly detail: string;
}

export const mostCodes = 10_000;
const longest = 500;

/** The codes without the blanks around them, each once, in the order given; or what is wrong with them. */
export function readCodes(
  codes: readonly string[],
): { readonly codes: readonly string[] } | { readonly complaints: readonly CodeComplaint[] } {
  const trimmed = codes.map((code) => code.trim());
  const complaints = trimmed.flatMap((code, at): CodeComplaint[] => {
    if (code === '') return [{ at, code: 'required', detail: 'A code is not empty.' }];
    if (code.length > longest) return [{ at, code: 'too_long', detail: `A code has at most ${longest} characters.` }];
    // Lines and tabs are part of some licences; other control characters come from a damaged file.
    if (/[^\P{Cc}\n\r\t]/u.test(code))
      return [{ at, code: 'invalid_field', detail: 'A code has no control characters.' }];
    return [];
  });
  return complaints.length > 0 ? { complaints } : { codes: [...new Set(trimmed)] };
}
