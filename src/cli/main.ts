#!/usr/bin/env node
// Where the command line begins. What is compiled is kept in the system's folder for temporary files, so that commands after
// the first begin in half the time (NODE_DISABLE_COMPILE_CACHE=1: not). It has to be said before the program is loaded.
import { enableCompileCache } from 'node:module';

enableCompileCache?.();
const [{ processIo }, { runProgram }] = await Promise.all([import('./io.ts'), import('./program.ts')]);
process.exitCode = await runProgram(processIo(), process.argv.slice(2));
