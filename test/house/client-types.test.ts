// The client is compiled against the API's description as it was when its types were made.
import { expect, it } from 'vitest';
import { hashOf, hashOfTypes } from '../support/client-types.ts';
import { openApiDocument } from '../support/openapi-document.ts';

it("the client's types are of the description that the service serves; if not: npm run client:types", async () => {
  const document = await openApiDocument();
  expect(hashOfTypes()).toBe(hashOf(document));
  expect(hashOf({ ...document, paths: {} })).not.toBe(hashOf(document));
});
