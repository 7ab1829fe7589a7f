// The process that reads one YAML document, sends it and ends; see yaml-reader.ts for what bounds it.
import { parseDocument } from '../../core/definition/reading/parse.ts';

process.once('message', (text) => {
  process.send?.(parseDocument(text as string, 'yaml'), () => process.disconnect());
});
