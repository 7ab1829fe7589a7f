// The forms of a secret that are looked for: as it is, and as bytes of it are written (base64 at each alignment, also
// url-safe; hex), also where those bytes were escaped or written so before. What only escapes its characters (HTML, URLs,
// JSON, line breaks) needs no form here: unescape.ts takes that off the text.

/** Shorter values are no secrets: hiding them would deform texts that happen to contain them. */
export const MIN_SECRET_LENGTH = 8;

/** All forms of a secret, each of {@link MIN_SECRET_LENGTH} characters at least. `plain`: without its own escapes. */
export function formsOf(secret: string, plain: string): ReadonlySet<string> {
  const forms = new Set<string>();
  const add = (form: string) => void (form.length >= MIN_SECRET_LENGTH && forms.add(form));
  // A backslash at its end takes the quote that follows along when escapes are taken off, one at its beginning may go with what
  // follows it.
  for (const text of [secret, plain, plain.replace(/\\+$/, ''), plain.replaceAll(/^\\+|\\+$/g, '')]) {
    add(text);
    // A form's space, which is not taken for an escape: base64 has the same character.
    add(text.replaceAll(' ', '+'));
    // Its bytes, read one by one.
    add(Buffer.from(text).toString('latin1'));
  }
  const once = new Set(bytesAsText(secret));
  for (const form of once) add(form);
  for (const inner of [...escapesOf(secret), ...once]) for (const form of bytesAsText(inner)) add(form);
  return forms;
}

/** How servers write bytes as text. */
function* bytesAsText(text: string): Iterable<string> {
  const bytes = Buffer.from(text);
  const hex = bytes.toString('hex');
  yield hex;
  yield hex.toUpperCase();
  for (const before of [0, 1, 2]) {
    const base64 = base64Within(bytes, before);
    yield base64;
    yield base64.replaceAll('+', '-').replaceAll('/', '_');
  }
}

// The characters of base64 that the secret alone determines when `before` bytes stand before it in its group of three.
function base64Within(bytes: Buffer, before: number): string {
  const all = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = [0, 2, 3][before]!;
  return all.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
}

/** How servers escape a text. */
function* escapesOf(text: string): Iterable<string> {
  const json = JSON.stringify(text).slice(1, -1);
  yield json;
  yield json.replaceAll('/', '\\/');
  yield withCodes(json, /[&<>]/g);
  yield withCodes(json, /[&<>'+]/g);
  yield withCodes(json, /[\u0080-\uffff]/g);
  const url = encodeURIComponent(text.toWellFormed());
  yield url;
  yield url.replaceAll(/%../g, (code) => code.toLowerCase());
  yield new URLSearchParams({ s: text.toWellFormed() }).toString().slice(2);
  yield encodeURI(text.toWellFormed());
  const tags = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  for (const quote of ['"', '&quot;', '&#34;'])
    for (const apostrophe of ["'", '&#39;', '&#x27;'])
      yield tags.replaceAll('"', quote).replaceAll("'", apostrophe);
}

function withCodes(text: string, characters: RegExp): string {
  return text.replace(characters, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
