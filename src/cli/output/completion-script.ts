// Completion scripts for shells: a table from a command's words to what may come next.
import { assertNever } from '../../core/errors.ts';
import { type Command, suggestedArguments } from '../command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface CommandWords {
  /** `executions list`; empty: the program itself. */
  readonly path: string;
  readonly commands: readonly Word[];
  /** What its arguments may be, where that is known. */
  readonly arguments: readonly string[];
  readonly options: readonly OptionWord[];
}
interface Word {
  readonly name: string;
  readonly text: string;
}
interface OptionWord extends Word {
  readonly takesValue: boolean;
  /** What its value may be, where that is a list. */
  readonly choices: readonly string[];
}

/** `program`: with all its commands loaded. */
export function completionScript(shell: Shell, program: Command): string {
  const tree = wordsOf(program, '');
  switch (shell) {
    case 'bash':
      return bashScript(tree);
    case 'zsh':
      return zshScript(tree);
    case 'fish':
      return fishScript(tree);
    default:
      return assertNever(shell);
  }
}

function wordsOf(command: Command, path: string): CommandWords[] {
  const commands = command.commands.filter((one) => one.name() !== 'help');
  const own: CommandWords = {
    path,
    commands: commands.map((one) => ({ name: one.name(), text: one.description() })),
    arguments: suggestedArguments(command),
    options: command.options.map((option) => ({
      name: option.long ?? option.short ?? '',
      text: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    })),
  };
  return [own, ...commands.flatMap((one) => wordsOf(one, `${path} ${one.name()}`.trim()))];
}

// Which command the words before the cursor name, in bash and zsh alike: an option, and what it takes, is none.
function pathLines(tree: readonly CommandWords[]): string[] {
  const nexts = tree.flatMap(({ path, commands }) => commands.map(({ name }) => `${path} ${name}`.trim()));
  const valued = [
    ...new Set(tree.flatMap(({ options }) => options.filter((o) => o.takesValue).map((o) => o.name))),
  ];
  return [
    '    case "$skip" in 1) skip=0; continue;; esac',
    `    case "$word" in ${valued.join('|')}) skip=1; continue;; -*) continue;; esac`,
    `    next="\${path:+$path }$word"`,
    `    case "$next" in ${nexts.map((path) => `"${path}"`).join('|')}) path="$next";; esac`,
  ];
}

function caseLines(tree: readonly CommandWords[]): string[] {
  const words = tree.map(({ path, commands, options, arguments: given }) => {
    const names = [...[...commands, ...options].map(({ name }) => name), ...given];
    return `    "${path}") words="${names.join(' ')}";;`;
  });
  const values = tree.flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(({ name, choices }) => `    "${path} ${name}") words="${choices.join(' ')}"; values=1;;`),
  );
  return ['  case "$path" in', ...words, '  esac', '  case "$path $before" in', ...values, '  esac'];
}

function bashScript(tree: readonly CommandWords[]): string {
  return [
    '# dagwright completion for bash: source <(dagwright completion bash)',
    '_dagwright() {',
    `  local path="" next="" words="" values=0 skip=0 word before="\${COMP_WORDS[COMP_CWORD-1]}"`,
    `  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`,
    ...pathLines(tree),
    '  done',
    ...caseLines(tree),
    `  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
    '}',
    'complete -o default -F _dagwright dagwright',
  ].join('\n');
}

function zshScript(tree: readonly CommandWords[]): string {
  return [
    '#compdef dagwright',
    '# dagwright completion for zsh: source <(dagwright completion zsh)',
    '_dagwright() {',
    `  local path_="" next="" list="" values=0 skip=0 word before="\${words[CURRENT-1]}"`,
    `  for word in "\${(@)words[2,CURRENT-1]}"; do`,
    // `path` is zsh's own, and `words` what the user has typed.
    ...pathLines(tree).map((line) =>
      line.replaceAll('$path', '$path_').replaceAll(`\${path:`, `\${path_:`).replaceAll('path=', 'path_='),
    ),
    '  done',
    ...caseLines(tree).map((line) => line.replaceAll('$path', '$path_').replaceAll('words=', 'list=')),
    `  compadd -- \${=list}`,
    '  (( values )) || _files',
    '}',
    'compdef _dagwright dagwright',
  ].join('\n');
}

function fishScript(tree: readonly CommandWords[]): string {
  const nexts = tree.flatMap(({ path, commands }) =>
    commands.map(({ name }) => quoted(`${path} ${name}`.trim())),
  );
  const lines = tree.flatMap(({ path, commands, options, arguments: given }) => {
    const when = `complete -c dagwright -n 'test (__dagwright_path) = "${path}"'`;
    return [
      ...commands.map(({ name, text }) => `${when} -f -a ${name} -d ${quoted(text)}`),
      ...(given.length === 0 ? [] : [`${when} -f -a ${quoted(given.join(' '))}`]),
      ...options.map(({ name, text, takesValue, choices }) => {
        const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : '';
        const flag = name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`;
        return `${when} ${flag}${value} -d ${quoted(text)}`;
      }),
    ];
  });
  return [
    '# dagwright completion for fish: dagwright completion fish | source',
    'function __dagwright_path',
    "  set -l path ''",
    '  for word in (commandline -opc)[2..-1]',
    '    set -l next (string trim -- "$path $word")',
    `    contains -- "$next" ${nexts.join(' ')}; and set path $next`,
    '  end',
    '  echo "$path"',
    'end',
    ...lines,
  ].join('\n');
}

const quoted = (text: string) =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', ' ')}'`;
