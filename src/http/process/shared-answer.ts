// An answer that costs something and is the same for all who ask: worked out once at a time, and given to whoever asks meanwhile.

export class SharedAnswer<T> {
  readonly #work: () => Promise<T>;
  readonly #freshMs: number;
  #last: { readonly answer: Promise<T>; endedAt: number | null } | null = null;

  /** `freshMs`: for how long after it was worked out, well or not, it is given out again; 0: only to those who came before. */
  constructor(work: () => Promise<T>, freshMs = 0) {
    this.#work = work;
    this.#freshMs = freshMs;
  }

  get(): Promise<T> {
    const last = this.#last;
    if (last !== null && (last.endedAt === null || performance.now() - last.endedAt < this.#freshMs))
      return last.answer;
    const answer = this.#work().finally(() => {
      made.endedAt = performance.now();
    });
    const made: NonNullable<typeof last> = { answer, endedAt: null };
    this.#last = made;
    return answer;
  }
}
