// Reads a Dockerfile into its instructions; for the check of the image and the test of its rules.

export interface Instruction {
  /** FROM, RUN, COPY … */
  readonly name: string;
  /** What follows the name, continued lines joined, ARGs with defaults filled in. */
  readonly text: string;
  readonly words: readonly string[];
  /** The words of the exec form, also of HEALTHCHECK's CMD; null in shell form. */
  readonly list: string[] | null;
}

export function parseDockerfile(source: string): Instruction[] {
  const args = new Map<string, string>();
  const lines = source
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [, name = '', rest = ''] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? [];
    const text = rest.replace(/\$\{(\w+)\}/g, (whole, key: string) => args.get(key) ?? whole).trim();
    if (name === 'ARG') {
      const [key, value] = text.split('=') as [string, string | undefined];
      if (value !== undefined) args.set(key, value);
    }
    const exec = /(?:^|\sCMD\s+)(\[.*\])$/.exec(text)?.[1];
    return { name, text, words: text.split(/\s+/), list: exec === undefined ? null : JSON.parse(exec) };
  });
}
