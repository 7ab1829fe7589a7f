// Whether a text is evaluated (CONTRACT 2.2): the one test that structure checks use to leave a value to run time.

/** True for a text with a template, or one that is short for a template (`$.…`, `$[…`). */
export function isTemplate(text: string): boolean {
  return /^\$[.[]/.test(text) || text.includes('{{');
}
