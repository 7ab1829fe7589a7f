// What require() gives, for TypeScript in CommonJS; test/house/package.test.ts compares it with src/index.ts.
import type * as Library from '../dist/index.js' with { 'resolution-mode': 'import' };

export type * from '../dist/index.js' with { 'resolution-mode': 'import' };
export declare const defineTask: typeof Library.defineTask;
export declare const RetryableError: typeof Library.RetryableError;
export type RetryableError = Library.RetryableError;
export declare const TerminalError: typeof Library.TerminalError;
export type TerminalError = Library.TerminalError;
