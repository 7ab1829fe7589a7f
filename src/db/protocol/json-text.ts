// JSON put together as text, so that values which are JSON already are not parsed again. The keys of an object are typed by
// the table that declares them (settle-keys.ts).

/** Values of an object's keys: numbers, booleans, and texts that are JSON. */
export type Texts<Keys> = { readonly [Key in keyof Keys]?: string | number | boolean };

/** An object; what is undefined is left out. */
export function objectText<Keys>(texts: Texts<Keys>): string {
  let json = '';
  for (const key in texts) {
    const text = texts[key];
    if (text !== undefined) json += `${json === '' ? '{' : ','}"${key}":${text}`;
  }
  return json === '' ? '{}' : `${json}}`;
}

export function listText(texts: readonly (string | number)[]): string {
  return `[${texts.join(',')}]`;
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}
