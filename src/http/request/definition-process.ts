// The process that reads and checks one definition, sends what it found and ends; see definition-reader.ts for what bounds it.
import { checkText, type DefinitionText } from './check-text.ts';

process.once('message', (given) => {
  process.send?.(checkText(given as DefinitionText), () => process.disconnect());
});
