// What a text that a user chooses may be, said once: schemas of the API and arguments of the command line read it.

export interface TextRule {
  readonly pattern: RegExp;
  /** In words: `letters, digits and "_", at most 100`. */
  readonly expected: string;
}
