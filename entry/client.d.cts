// What require() gives, for TypeScript in CommonJS; test/house/package.test.ts compares it with src/client/client.ts.
import type * as Library from '../dist/client/client.js' with { 'resolution-mode': 'import' };

export type * from '../dist/client/client.js' with { 'resolution-mode': 'import' };
export declare const ApiError: typeof Library.ApiError;
export type ApiError = Library.ApiError;
export declare const DagwrightClient: typeof Library.DagwrightClient;
export type DagwrightClient = Library.DagwrightClient;
export declare const UnreachableError: typeof Library.UnreachableError;
export type UnreachableError = Library.UnreachableError;
