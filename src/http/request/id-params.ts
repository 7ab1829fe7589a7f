// The path of one resource that is named by its id. What cannot be an id is the id of nothing: 404.
import { Type } from 'typebox';

export const IdParams = Type.Object(
  { id: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }) },
  { additionalProperties: false },
);
