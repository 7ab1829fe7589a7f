// What require() gives, for TypeScript in CommonJS; test/house/package.test.ts compares it with src/index.ts.
import type * as Library from '../dist/index.js' with { 'resolution-mode': 'import' };

export type * from '../dist/index.js' with { 'resolution-mode': 'import' };
export declare const Dagwright: typeof Library.Dagwright;
export type Dagwright = Library.Dagwright;
export declare const DagwrightError: typeof Library.DagwrightError;
export type DagwrightError = Library.DagwrightError;
export declare const defineTask: typeof Library.defineTask;
export declare const ExecutionFailed: typeof Library.ExecutionFailed;
export type ExecutionFailed = Library.ExecutionFailed;
export declare const RetryableError: typeof Library.RetryableError;
export type RetryableError = Library.RetryableError;
export declare const TerminalError: typeof Library.TerminalError;
export type TerminalError = Library.TerminalError;
export declare const workflow: typeof Library.workflow;
