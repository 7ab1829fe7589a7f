// What a check of `doctor` is, and how one is made: alone, within its time, and without a secret in what it says.

/** `skip`: it could not be made, or only says again, what is wrong above. */
export type Status = 'ok' | 'warn' | 'fail' | 'skip';

/** What a check found. `hint` says what to do; null where all is well. */
export interface Finding {
  readonly status: Status;
  readonly message: string;
  readonly hint: string | null;
}

export interface CheckResult extends Finding {
  readonly name: string;
  /** It could not be made. */
  readonly isBroken: boolean;
}

export interface Check {
  readonly name: string;
  readonly look: () => Promise<Finding> | Finding;
  /** What to do when the check itself cannot be made. */
  readonly ifBroken?: string;
}

export const ok = (message: string): Finding => ({ status: 'ok', message, hint: null });
export const warn = (message: string, hint: string): Finding => ({ status: 'warn', message, hint });
export const fail = (message: string, hint: string): Finding => ({ status: 'fail', message, hint });

/** The worst of these. */
export function worst(results: readonly Finding[]): Status {
  return (['fail', 'warn'] as const).find((status) => results.some((r) => r.status === status)) ?? 'ok';
}

/** Makes one check; one that throws has failed, and says why. `secrets` are cut out of what it says. */
export async function makeCheck(check: Check, secrets: readonly string[]): Promise<CheckResult> {
  let finding: Finding;
  let isBroken = false;
  try {
    finding = await check.look();
  } catch (error) {
    isBroken = true;
    finding = fail(
      `cannot be checked: ${reasonOf(error)}`,
      check.ifBroken ?? 'mend what is wrong above first, then look again',
    );
  }
  const { status, message, hint } = finding;
  return {
    name: check.name,
    isBroken,
    status,
    message: withoutSecrets(message, secrets),
    hint: hint === null ? null : withoutSecrets(hint, secrets),
  };
}

/**
 * One cause is one failure. Where `result` failed as a consequence of an earlier failure it is a `skip` that names it: it could not
 * be made for the same reason, or could not be made or asks for the same to be done while `migrations` are pending.
 */
export function withoutConsequence(result: CheckResult, earlier: readonly CheckResult[]): CheckResult {
  if (result.status !== 'fail') return result;
  const cause = earlier.find(
    (before) =>
      before.status === 'fail' &&
      ((before.isBroken && result.isBroken && before.message === result.message) ||
        (before.name === 'migrations' && (result.isBroken || result.hint === before.hint))),
  );
  if (cause === undefined) return result;
  return { ...result, status: 'skip', message: `not looked at: mend "${cause.name}" first`, hint: null };
}

export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => left.replaceAll(secret, '***'), text);
}

/** Shorter ones are parts of words: hiding them would hide what is said, and they are no secret worth the name. */
const SHORTEST_SECRET = 4;

/** The passwords of these URLs, as written and decoded. */
export function passwordsOf(urls: readonly string[]): string[] {
  const found = urls.flatMap((url) => {
    if (!URL.canParse(url)) return [];
    const { password } = new URL(url);
    return [password, decode(password)];
  });
  return [...new Set(found)].filter((password) => password.length >= SHORTEST_SECRET);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Why something failed, in words; a refused connection to several addresses has only a code. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
