// What is said of a code, wherever it appears.

export interface CodeText {
  readonly means: string;
  /** What to do about it, where that does not follow from what it means. */
  readonly fix?: string;
}

/** Codes of one place. */
export type CodeList = Readonly<Record<string, CodeText>>;
