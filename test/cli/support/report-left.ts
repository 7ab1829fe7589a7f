// Runs a command line as main.ts does. When the command is done, the last line on stderr tells what still keeps the process.
import { processIo } from '../../../src/cli/io.ts';
import { runProgram } from '../../../src/cli/program.ts';

process.exitCode = await runProgram(processIo(), process.argv.slice(2));
process.stderr.write(`${JSON.stringify(process.getActiveResourcesInfo())}\n`);
