// What the routes of workflows share: parameters and ETags.
import { Type } from 'typebox';
import { WORKFLOW_ID } from '../../core/definition/workflow-id.ts';

export const WorkflowParams = Type.Object(
  { workflowId: Type.String({ pattern: WORKFLOW_ID.pattern.source }) },
  { additionalProperties: false },
);

export const etagOf = (revision: number): string => `"${revision}"`;
