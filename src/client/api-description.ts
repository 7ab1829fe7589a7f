// The operations of the API and their schemas. Made by `npm run client:types`; a test says when they are stale.
// Longer than most files, since it is one description, which nobody writes by hand.
// sha256 43fe783edebd3782ef524355bcaad7903e6d4439ba28f9060c9aceb99f99ca11

export interface paths {
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This description
         * @description OpenAPI 3.1 of all routes. It changes with a release only.
         */
        get: operations["getOpenapiJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether this process makes progress
         * @description 503 names the loop that stands still: the process should be restarted.
         */
        get: operations["getHealthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether this process may be given work
         * @description 503 while the database is away, or migrations are pending.
         */
        get: operations["getReadyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Numbers for Prometheus
         * @description The text format of Prometheus.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workflows/{workflowId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a workflow with the definition of its current revision
         * @description Takes the scope `workflows:read`.
         */
        get: operations["getWorkflow"];
        /**
         * Save a definition
         * @description The body is the definition, as JSON or YAML (application/yaml), up to 10 MB; its `workflowId` may be left out. Content that differs from the current revision becomes the next one, which starts take from then on; what runs keeps its own. Schedules, webhooks and event triggers of `triggers` are brought in step in the same transaction; what is not named any more is removed (`triggers.removed`), and comes back as it was when it is named again. With `If-Match: "3"` only where 3 is the current revision, else 412; `If-Match: *`: only where there is one. All problems are told at once; warnings never refuse. A secret that a webhook trigger gave in clear text is sealed and not kept in the definition; one that had to be made up is in this answer only.
         *
         *     Takes the scope `workflows:write`.
         */
        put: operations["saveWorkflow"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Switch a workflow on or off
         * @description Only `active` ones start, by hand or by their triggers; what runs goes on. Nothing is ever deleted: `archived` puts it out of the way.
         *
         *     Takes the scope `workflows:write`.
         */
        patch: operations["setWorkflowStatus"];
        trace?: never;
    };
    "/v1/workflows/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check a definition without saving it
         * @description The body is the definition, as JSON or YAML. 200 also where it is not valid: `errors` then holds all problems, with pointers into the body. With `explain` the answer says in words when each task runs, and what it has by defaults.
         *
         *     Takes the scope `workflows:read` or `workflows:write`.
         */
        post: operations["validateWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workflows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List workflows
         * @description Newest first, by when each was first saved.
         *
         *     Takes the scope `workflows:read`.
         */
        get: operations["listWorkflows"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workflows/{workflowId}/revisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the revisions of a workflow
         * @description Newest first, without their definitions. `isCurrent`: the one that starts take.
         *
         *     Takes the scope `workflows:read`.
         */
        get: operations["listRevisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workflows/{workflowId}/revisions/{revision}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a revision with its definition
         * @description Takes the scope `workflows:read`.
         */
        get: operations["getRevision"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workflows/{workflowId}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go back to an earlier revision
         * @description Starts take this revision until the next save, and its triggers are those that count; what runs keeps its own. Schedules and webhooks that the revision has and that were removed since come back as they were, with their ticks, events and secrets; `triggers.removed` names what is removed now.
         *
         *     Takes the scope `workflows:write`.
         */
        post: operations["rollbackWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/variables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List variables
         * @description By name.
         *
         *     Takes the scope `variables:read`.
         */
        get: operations["listVariables"];
        put?: never;
        /**
         * Create a variable
         * @description Expressions of every workflow of the tenant read it as `variables.<name>`. It is no place for secrets: whoever may read variables or executions sees it.
         *
         *     Takes the scope `variables:write`.
         */
        post: operations["createVariable"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/variables/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a variable
         * @description Takes the scope `variables:read`.
         */
        get: operations["getVariable"];
        /**
         * Set a variable
         * @description Creates it or changes its value; a description that is not named stays. The next attempt of a task sees the new value.
         *
         *     Takes the scope `variables:write`.
         */
        put: operations["putVariable"];
        post?: never;
        /**
         * Delete a variable
         * @description Tasks that still need it fail with `missing_path`.
         *
         *     Takes the scope `variables:write`.
         */
        delete: operations["deleteVariable"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List events
         * @description Takes the scope `events:read`.
         */
        get: operations["listEvents"];
        put?: never;
        /**
         * Emit an event
         * @description Starts, within about a second, the active workflows that have a trigger `{ type: event, event: <type> }` whose `when` holds. What became of it: GET /v1/events/{id}. From SQL: `dagwright.emit_event`.
         *
         *     Takes the scope `events:write`.
         */
        post: operations["emitEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show an event
         * @description `processedAt` is null until its triggers have been looked at; `errors` names those that could not start their workflow.
         *
         *     Takes the scope `events:read`.
         */
        get: operations["getEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hooks/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deliver an event of an outside service
         * @description For the senders of webhooks. The path is that of the webhook, `<tenant name>/<path>`; the sender proves itself as the webhook asks. The body is JSON, a form or text, at most 1 MB, not compressed. 202 comes after the event and the execution that it starts are committed; a delivery that is repeated under the same id gets the same answer. An unknown path and a wrong signature both get 401; 429 says in Retry-After when to deliver again, and nothing of the delivery is kept. PUT, GET and HEAD are taken where the webhook has them in `methods`. A webhook may answer otherwise (`respond`), and answers questions of its sender whether the address is right (`handshakes`).
         */
        post: operations["deliver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List webhooks
         * @description Without those that were removed from their definition, which GET of one shows.
         *
         *     Takes the scope `webhooks:read`.
         */
        get: operations["listWebhooks"];
        put?: never;
        /**
         * Make a webhook
         * @description Deliveries at its `url` that prove their sender and pass the filters start the workflow. Without a secret one is made, and is in this answer only.
         *
         *     Takes the scope `webhooks:write`.
         */
        post: operations["createWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a webhook
         * @description Takes the scope `webhooks:read`.
         */
        get: operations["getWebhook"];
        /**
         * Replace the settings of a webhook; its secrets stay
         * @description Of a webhook that belongs to a definition only `status` and the secret may be changed: 409 `from_definition`. A new `secret` is taken at once; the ones before it go on for `previousSecretExpiresInSeconds` (a day where absent), while the sender changes over.
         *
         *     Takes the scope `webhooks:write`.
         */
        put: operations["replaceWebhook"];
        post?: never;
        /**
         * Delete a webhook and its events
         * @description Executions that it started go on. One that a definition has, or had, loses its secrets for good; leaving it out of `triggers` keeps them.
         *
         *     Takes the scope `webhooks:write`.
         */
        delete: operations["deleteWebhook"];
        options?: never;
        head?: never;
        /**
         * Change a webhook: what is not named stays
         * @description Of a webhook that belongs to a definition only `status` and the secret may be changed: 409 `from_definition`. A new `secret` is taken at once; the ones before it go on for `previousSecretExpiresInSeconds` (a day where absent), while the sender changes over.
         *
         *     Takes the scope `webhooks:write`.
         */
        patch: operations["changeWebhook"];
        trace?: never;
    };
    "/v1/webhooks/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the events of a webhook
         * @description Without what they brought, which GET of one shows.
         *
         *     Takes the scope `webhooks:read`.
         */
        get: operations["listWebhookEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/events/{eventId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show an event with what it brought
         * @description Headers without credentials and signatures.
         *
         *     Takes the scope `webhooks:read`.
         */
        get: operations["getWebhookEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/events/{eventId}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decide a stored event anew
         * @description By the filters, the mapping and the revision as they are now; it may start another execution. Answers as the delivery did.
         *
         *     Takes the scope `webhooks:write`.
         */
        post: operations["replayWebhookEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List schedules
         * @description Without those that were removed from their definition, which GET of one shows.
         *
         *     Takes the scope `schedules:read`.
         */
        get: operations["listSchedules"];
        put?: never;
        /**
         * Make a schedule
         * @description Active at once; `nextRunAt` is the first nominal time from now on. 409 `name_taken` where the workflow has one of this name.
         *
         *     Takes the scope `schedules:write`.
         */
        post: operations["createSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a schedule
         * @description Takes the scope `schedules:read`.
         */
        get: operations["getSchedule"];
        /**
         * Replace the settings of a schedule
         * @description Another expression, zone, `startAt` or `endAt` counts from now on. 409 `from_definition` where a definition keeps it.
         *
         *     Takes the scope `schedules:write`.
         */
        put: operations["replaceSchedule"];
        post?: never;
        /**
         * Delete a schedule and its ticks
         * @description Executions that it started go on. One that a definition has, or had, loses its ticks for good; leaving it out of `triggers` keeps them.
         *
         *     Takes the scope `schedules:write`.
         */
        delete: operations["deleteSchedule"];
        options?: never;
        head?: never;
        /**
         * Change a schedule: what is not named stays
         * @description Another expression, zone, `startAt` or `endAt` counts from now on. 409 `from_definition` where a definition keeps it.
         *
         *     Takes the scope `schedules:write`.
         */
        patch: operations["changeSchedule"];
        trace?: never;
    };
    "/v1/schedules/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a schedule: the times until it is resumed get no ticks
         * @description Takes the scope `schedules:write`.
         */
        post: operations["pauseSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a schedule: it goes on with the first nominal time from now on
         * @description Takes the scope `schedules:write`.
         */
        post: operations["resumeSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The next nominal times, in UTC and in the zone of the schedule
         * @description Also of a paused schedule: as if it were resumed now.
         *
         *     Takes the scope `schedules:read`.
         */
        get: operations["previewSchedule"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The next nominal times of an expression, without a schedule
         * @description Of `dueAt` the jitter differs from one schedule to the next.
         *
         *     Takes the scope `schedules:read`.
         */
        post: operations["previewExpression"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/ticks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What became of each nominal time
         * @description The latest nominal time first. `fired`, `backfilled` and `buffered` (waits for the one before) start an execution; `skipped_overlap` and `missed` do not, and `reason` says why.
         *
         *     Takes the scope `schedules:read`.
         */
        get: operations["listScheduleTicks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start an execution now
         * @description It is no tick, and overlap does not see it; also of a paused schedule. 409 `cannot_start`.
         *
         *     Takes the scope `schedules:write`.
         */
        post: operations["runSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/backfill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start what a range has missed
         * @description Starts the nominal times of the range that have no execution: without a tick, or `missed`. All at once, whatever the overlap policy; at most 1000.
         *
         *     Takes the scope `schedules:write`.
         */
        post: operations["backfillSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tenants
         * @description Newest first.
         *
         *     Takes the operator's key.
         */
        get: operations["listTenants"];
        put?: never;
        /**
         * Create a tenant
         * @description Its rows are seen by its own keys only. 409 `name_taken` where there is one of that name.
         *
         *     Takes the operator's key.
         */
        post: operations["createTenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a tenant
         * @description Takes the operator's key.
         */
        get: operations["getTenant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change, suspend or activate a tenant
         * @description What is not named stays as it is; `settings` are replaced as a whole.
         *
         *     Takes the operator's key.
         */
        patch: operations["updateTenant"];
        trace?: never;
    };
    "/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List keys
         * @description Newest first, also those that are revoked or have expired; never the keys themselves.
         *
         *     Takes the scope `api-keys:read`.
         */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Create a key
         * @description The answer holds `key`, which is shown only here; only a hash of it is kept. 403 `scope_exceeded` where it would grant what you lack.
         *
         *     Takes the scope `api-keys:write`.
         */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a key
         * @description Takes the scope `api-keys:read`.
         */
        get: operations["getApiKey"];
        put?: never;
        post?: never;
        /**
         * Revoke a key
         * @description It is refused everywhere within 5 s, for good, and stays in the list. Again changes nothing.
         *
         *     Takes the scope `api-keys:write`.
         */
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List changes
         * @description Newest first. Of an update `oldValues` and `newValues` hold what changed; secrets are named and hidden. Only ever appended to.
         *
         *     Takes the scope `audit:read`.
         */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workflows/{workflowId}/executions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a workflow
         * @description Answers 201 once the start is committed: from then on it is not lost. With `Idempotency-Key` the same request may be sent again and starts once. With `?wait=30` the answer waits up to so many seconds for the end: 201 with the finished execution, else 202, also where its output or those of its tasks are more than 8 MB; a client that goes away stops nothing.
         *
         *     Takes the scope `workflows:write` or `executions:write`.
         */
        post: operations["startExecution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow an execution (server-sent events)
         * @description `event: task` for each task that ended, with its object as data; `event: execution` with `{ id, status }` at the beginning and whenever the status has changed; `event: end` when it is over and all was sent. Ids of tasks rise, with gaps: send the last one as `Last-Event-ID` (or `?lastEventId`) to go on after it.
         *
         *     Takes the scope `executions:read`.
         */
        get: operations["followExecution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel an execution
         * @description Nothing of it starts once this is answered; calls in flight are aborted within seconds. One that is cancelled already stays so.
         *
         *     Takes the scope `executions:write`.
         */
        post: operations["cancelExecution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause an execution
         * @description What runs may end; nothing else begins. Timers and time limits stand still.
         *
         *     Takes the scope `executions:write`.
         */
        post: operations["pauseExecution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume an execution
         * @description One that is not paused stays as it is.
         *
         *     Takes the scope `executions:write`.
         */
        post: operations["resumeExecution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List executions
         * @description Newest first. All conditions that are given hold together. A page ends early, with a `nextCursor`, once the outputs in it are 8 MB; one task or execution is always whole.
         *
         *     Takes the scope `executions:read`.
         */
        get: operations["listExecutions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an execution
         * @description What would make the answer larger than 8 MB is null and named in `leftOut`: GET /v1/executions/{id}/parts/{part} gives it.
         *
         *     Takes the scope `executions:read`.
         */
        get: operations["getExecution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}/parts/{part}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one part of an execution
         * @description Its input, output, metadata or error as JSON by itself, whole, also where GET of the execution leaves it out.
         *
         *     Takes the scope `executions:read`.
         */
        get: operations["getExecutionPart"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an execution's tasks
         * @description In the order of the definition, items after their fan-out. A page ends early, with a `nextCursor`, once the outputs in it are 8 MB; one task or execution is always whole.
         *
         *     Takes the scope `executions:read`.
         */
        get: operations["listTasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an execution's log
         * @description Oldest first. Workers write lines in batches, a moment after they were made: while the execution runs, and for 5 s after its end, a nextCursor passes no line of the last 5 s. So a page with a nextCursor is final: what it follows comes after the cursor, and a page may be short, or empty with the cursor it was asked for; ask again a moment later. The last page (nextCursor null) may still grow, in its midst too: to follow an execution, read it again with the same cursor, and leave out the ids that you have, until the execution has ended and 5 s have passed. Lines of a worker that had lost the database may come later still.
         *
         *     Takes the scope `executions:read`.
         */
        get: operations["listLogLines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}/why": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why is it not over?
         * @description What each unfinished task waits for; at most 200 of them, those that could go on first.
         *
         *     Takes the scope `executions:read`.
         */
        get: operations["explainExecution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/executions/{id}/signals/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a signal to an execution
         * @description Ends the oldest `wait` with this `signal` whose `when` lets it in. One that comes before its wait is kept for it: 30 days, and 1000 of one name. 409: the execution has ended, or keeps so many already. From SQL: `dagwright.signal_execution`.
         *
         *     Takes the scope `executions:write`.
         */
        post: operations["signalExecution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/callbacks/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answer a call later
         * @description Takes one of `output`, `error` or `heartbeat`. The first answer counts: a repeated one is answered 200 with `already_completed` and changes nothing. 404: no such token; 410: its task has ended or timed out. Numbers beyond 2^53 are kept exactly, as texts; a warning in the log of the task says where.
         */
        post: operations["answerCallback"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reviews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List reviews
         * @description Newest first.
         *
         *     Takes the scope `reviews:read`.
         */
        get: operations["listReviews"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reviews/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a review
         * @description With what is shown, its form, and what people said.
         *
         *     Takes the scope `reviews:read`.
         */
        get: operations["getReview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change priority or due time
         * @description By those who are asked, and by keys with `executions:write`. What is not named stays.
         *
         *     Takes the scope `reviews:write`.
         */
        patch: operations["updateReview"];
        trace?: never;
    };
    "/v1/reviews/{id}/decision": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decide a review
         * @description One vote of the caller, which may be changed until the review is decided. The vote that decides lets the task go on: the decision is its branch. 403 `self_approval`: whoever started the execution may not decide; 403 `not_assignee`: it is for others; 409 `already_decided`: it is decided, expired or cancelled, and the message says what; 422: the form does not fit.
         *
         *     Takes the scope `reviews:write`.
         */
        post: operations["decideReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reviews/{id}/assign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask others
         * @description Its assignees are these then, and nobody has claimed it. By those who are asked, and by keys with `executions:write`.
         *
         *     Takes the scope `reviews:write`.
         */
        post: operations["assignReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reviews/{id}/comments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Comment on a review
         * @description Takes the scope `reviews:write`.
         */
        post: operations["commentOnReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reviews/{id}/claim": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a review on
         * @description Where one decision is enough nobody else decides it then. 409 `claimed`: another has.
         *
         *     Takes the scope `reviews:write`.
         */
        post: operations["claimReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reviews/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a review back
         * @description By whoever claimed it, and by keys with `executions:write`.
         *
         *     Takes the scope `reviews:write`.
         */
        post: operations["releaseReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reviews/{id}/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link for a person without a key
         * @description Whoever has it decides the review, once, as that person: it may what the person may. Shown in this answer only; send it to nobody else.
         *
         *     Takes the scope `reviews:write`.
         */
        post: operations["makeReviewLink"];
        /**
         * Take back the links of a review
         * @description Those that are not used yet.
         *
         *     Takes the scope `reviews:write`.
         */
        delete: operations["revokeReviewLinks"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What runs, waits, failed and costs
         * @description Executions created in the last 24 hours by status, all that are open, ready tasks, costs of what was created today and this month (UTC), and the 20 busiest workflows of the last 24 hours. It looks at the newest 200,000 executions of the month; `isComplete` is false where there were more.
         *
         *     Takes the scope `stats:read`.
         */
        get: operations["getStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/service-limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the outside services that are limited or held back
         * @description Limits are the installation's; circuit breakers are those of the tenant, of all tenants for the operator. A service that is not listed has no limit, and its breaker is closed.
         *
         *     Takes the scope `service-limits:read`.
         */
        get: operations["listServiceLimits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/service-limits/{serviceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Limit an outside service
         * @description What is not named stays as it is. Holds for all tenants, at once.
         *
         *     Takes the operator's key.
         */
        put: operations["setServiceLimit"];
        post?: never;
        /**
         * Lift all limits of a service
         * @description Takes the operator's key.
         */
        delete: operations["removeServiceLimit"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/service-limits/{serviceId}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close the circuit breaker of a service
         * @description Ends its pause, too: calls begin again within a second.
         *
         *     Takes the operator's key.
         */
        post: operations["resetService"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/pricing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what models cost now
         * @description The price library, with the prices that the operator has set before it; by provider and model.
         *
         *     Takes the scope `pricing:read`.
         */
        get: operations["listPrices"];
        put?: never;
        /**
         * Set your own price of a model
         * @description In place of one from the same instant; holds in place of the price library, for all tenants.
         *
         *     Takes the operator's key.
         */
        post: operations["setPrice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/pricing/{provider}/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove the operator's prices of a model
         * @description The price library's hold again. The model may hold slashes.
         *
         *     Takes the operator's key.
         */
        delete: operations["removePrice"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A key, without what is secret of it. */
        ApiKey: {
            /** Format: uuid */
            id: string;
            name: string;
            /** @description For whom it acts; null: for itself. */
            subject: string | null;
            roles: ("admin" | "editor" | "viewer" | "reviewer")[];
            /** @description Besides what the roles grant. */
            scopes: ("workflows:read" | "workflows:write" | "executions:read" | "executions:write" | "reviews:read" | "reviews:write" | "schedules:read" | "schedules:write" | "webhooks:read" | "webhooks:write" | "events:read" | "events:write" | "variables:read" | "variables:write" | "credentials:read" | "credentials:write" | "service-limits:read" | "service-limits:write" | "pricing:read" | "pricing:write" | "stats:read" | "stats:write" | "tenants:read" | "tenants:write" | "api-keys:read" | "api-keys:write" | "audit:read" | "audit:write" | "actors:assert")[];
            /**
             * @description Who made it: an actor.
             * @example user:alice
             */
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description Null: never.
             */
            expiresAt: string | null;
            /**
             * Format: date-time
             * @description Null: it is not.
             */
            revokedAt: string | null;
            /**
             * Format: date-time
             * @description To a minute; null: never.
             */
            lastUsedAt: string | null;
        };
        /** @description A page. */
        ApiKeyPage: {
            items: components["schemas"]["ApiKey"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description A person, or all who have a key with the role. */
        Assignee: {
            /** @enum {string} */
            type: "user" | "role";
            /**
             * @description The subject of their keys, with or without `user:`; or the role that their key has.
             * @example alice
             */
            id: string;
        };
        /** @description A change. */
        AuditRecord: {
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            at: string;
            actor: string;
            /** @example schedules.update */
            action: string;
            resourceType: string;
            resourceId: string;
            /** @description Null: it was made. */
            oldValues: {
                [key: string]: unknown;
            } | null;
            /** @description Null: it was deleted. */
            newValues: {
                [key: string]: unknown;
            } | null;
            /** @description IP address of the caller. */
            address: string | null;
            userAgent: string | null;
        };
        /** @description A page. */
        AuditRecordPage: {
            items: components["schemas"]["AuditRecord"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description What was started. */
        Backfill: {
            started: number;
            /** @description Nominal times that had an execution already. */
            skipped: number;
            executions: {
                /** Format: date-time */
                scheduledAt: string;
                /**
                 * Format: uuid
                 * @description Null: it could not start.
                 */
                executionId: string | null;
                /** @description Why it could not. */
                reason: string | null;
            }[];
        };
        Definition: {
            /**
             * @description Name of the workflow, unique in the tenant.
             * @example research-brief
             */
            workflowId: string;
            /** @description For people. */
            name?: string;
            /** @description For people. */
            description?: string;
            /**
             * @description Free text. Default: "custom".
             * @example pipeline
             */
            category?: string;
            /**
             * @description The author's own label.
             * @example 1.0.0
             */
            version?: string;
            /** @description JSON Schema 2020-12 of the input. */
            inputSchema?: {
                [key: string]: unknown;
            } | boolean;
            /** @description JSON Schema 2020-12 of the output. */
            outputSchema?: {
                [key: string]: unknown;
            } | boolean;
            /** @description Fill the input before it is validated. */
            defaultParameters?: {
                [key: string]: unknown;
            };
            /** @description Of the whole execution. Default: 3600, or none where a task waits for people, a callback or a signal. In seconds; fractions allowed. */
            timeoutSeconds?: number;
            /** @description Retries of a task without its own retry. Default: 3. */
            maxRetries?: number;
            /** @description Lowest tier of a tenant that may run it. Default: 1. */
            minTier?: number;
            /** @description Stored with the definition; changes nothing in this release, which is warned of. Default: false. */
            requiresAuditTrail?: boolean;
            /** @description Stored with the definition; changes nothing in this release, which is warned of. Default: false. */
            hipaaCompliant?: boolean;
            /**
             * @description What an uncaught failure does to the rest. Default: "finish_running".
             * @enum {unknown}
             */
            failurePolicy?: "finish_running" | "fail_fast" | "continue";
            /** @description Limits the cost. Not supported in this release. */
            budget?: unknown;
            /** @description Limits executions of one key. Not supported in this release. */
            concurrency?: unknown;
            /**
             * @description Fields of tasks by task type; "*" for all. What a task says wins; `config` is merged.
             * @example {
             *       "*": {
             *         "timeoutSeconds": 120
             *       }
             *     }
             */
            defaults?: {
                transformation?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /** @description A mapping: any JSON with templates; its value is the output. */
                        output?: unknown;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
                condition?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /** @description An expression; its text is the branch. The branches are those that edges name. */
                        value?: string;
                        /** @description The first case whose `when` holds gives the branch. */
                        cases?: ({
                            /** @description A condition. */
                            when: unknown;
                            /** @description Its branch. */
                            branch: string;
                        } & {
                            [key: string]: unknown;
                        })[] | string;
                        /** @description The branch where nothing matches; null: none. Absent: the error no_branch. */
                        default?: string | null;
                        /** @description A condition; the branch is "true" or "false". */
                        expression?: unknown;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
                parallel?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /** @description Named tasks (nodes without taskId) that run beside each other. */
                        branches?: {
                            [key: string]: components["schemas"]["DefinitionPart"];
                        };
                        /** @description The list (or a template that gives one); `task` runs once for each element. */
                        items?: unknown[] | string;
                        task?: components["schemas"]["DefinitionPart"];
                        /** @description Parts of several items: so many, or `{ count, bytes }` at most; `item` is then the list of them, and a larger item is a part of its own. */
                        batchSize?: (number | ({
                            /** @description Items in a part, at most. */
                            count?: number;
                            /** @description Bytes of a part as JSON, at most. */
                            bytes?: number;
                        } & {
                            [key: string]: unknown;
                        })) | string;
                        /** @description Parts that run at the same time. Default: 10. */
                        maxConcurrency?: number | string;
                        /** @description Failed parts allowed. Default: 0. */
                        toleratedFailureCount?: number | string;
                        /** @description Failed parts allowed, in percent of all. Default: 0. */
                        toleratedFailurePercentage?: number | string;
                        /** @description Completes at so many successes and cancels the rest. */
                        minSuccesses?: number | string;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
                aggregation?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /**
                         * @description How the values become one.
                         * @enum {unknown}
                         */
                        strategy?: "collect" | "merge" | "deep_merge" | "concat" | "first" | "sum" | "average" | "min" | "max" | "count" | "majority_vote" | "weighted_vote" | "best" | "quorum";
                        /** @description The values; default: completed parents' outputs in dependsOn order. */
                        source?: unknown;
                        /** @description What of each element counts: `$.score`, where `$` is the element, or an expression that sees `item`. */
                        path?: string;
                        /** @description For votes: as in path; or a list by position, or an object by taskId or branch. */
                        weights?: {
                            [key: string]: unknown;
                        } | unknown[] | string;
                        /** @description For best: what is compared, as in path. */
                        by?: string;
                        /**
                         * @description For best: desc takes the greatest. Default: "desc".
                         * @enum {unknown}
                         */
                        order?: "desc" | "asc";
                        /** @description Values needed; fewer is not_enough_values or quorum_not_reached. */
                        min?: number | string;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
                wait?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /** @description How long, in seconds. */
                        seconds?: number | string;
                        /** @description An instant, ISO 8601 with its offset. */
                        until?: string;
                        /** @description The name of a signal, or several: the first of them to come ends the wait. */
                        signal?: (string | string[]) | string;
                        /** @description A condition that a signal must meet to end the wait; sees its `payload` and `signal`. */
                        when?: unknown;
                        /** @description The wait for a signal fails with `timeout` after so long. Default: 315360000. */
                        timeoutSeconds?: number | string;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
                fail?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /** @description Error code. */
                        code?: string;
                        /** @description Error message. */
                        message?: string;
                        /** @description Any JSON, kept with the error. */
                        details?: unknown;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
                terminate?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /** @description Error code. */
                        code?: string;
                        /** @description Error message. */
                        message?: string;
                        /** @description Any JSON, kept with the error. */
                        details?: unknown;
                        /** @description The end of the execution. */
                        status?: ("completed" | "failed" | "cancelled") | string;
                        /** @description The output of the execution. */
                        output?: unknown;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
                model_inference?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /** @description Default: the task's input. */
                        prompt?: unknown;
                        /** @description Instead of a prompt: the conversation. Content is text, or parts: { type: text, text }, { type: image | file, url or data (base64), mediaType }. */
                        messages?: {
                            /** @enum {unknown} */
                            role: "system" | "user" | "assistant" | "tool";
                            content: unknown;
                            providerOptions?: {
                                [key: string]: unknown;
                            };
                        }[] | string;
                        /** @description Instructions for the model. */
                        systemPrompt?: string;
                        /** @description Messages before the prompt, such as the `messages` of an earlier model_inference. */
                        history?: unknown[] | string;
                        /** @description 0 is the most repeatable. */
                        temperature?: number | string;
                        /** @description Tokens of one answer. */
                        maxOutputTokens?: number | string;
                        /** @description JSON Schema 2020-12 that the answer must fit; it is then also the `object` of the output. The model is asked once more where it does not fit. */
                        responseSchema?: {
                            [key: string]: unknown;
                        };
                        /** @description Models that are asked in order where the one before is limited, broken or out of reach. */
                        fallbackModels?: string[] | string;
                        /** @description Tasks that the model may call. */
                        tools?: ({
                            /** @description Its name for the model. */
                            name: string;
                            /** @description What it does, for the model. */
                            description?: string;
                            /** @description JSON Schema 2020-12 of its arguments, an object. Default: any object. */
                            inputSchema?: {
                                [key: string]: unknown;
                            };
                            task: components["schemas"]["DefinitionPart"];
                            /** @description People approve each call before it is made; a refusal goes back to the model with its reason. true: whoever may write reviews. */
                            approval?: boolean | ({
                                /** @description Who may approve. Default: whoever may write reviews. */
                                assignees?: ({
                                    /**
                                     * @description A person, or all who have a key with the role.
                                     * @enum {unknown}
                                     */
                                    type: "user" | "role";
                                    /** @description The subject of their keys, or the role. */
                                    id: string;
                                } & {
                                    [key: string]: unknown;
                                })[];
                                /** @description Default: 1. */
                                requiredApprovals?: number;
                                /** @description Default: false. */
                                selfApproval?: boolean;
                                /** @description Default: 5. */
                                priority?: number;
                                dueInSeconds?: number;
                            } & {
                                [key: string]: unknown;
                            });
                        } & {
                            [key: string]: unknown;
                        })[];
                        /** @description Turns of the model, those with calls of tools included; then loop_limit. A repair is one more. Default: 10. */
                        maxSteps?: number | string;
                        /**
                         * @description embedding: the prompt becomes a vector. Default: "text".
                         * @enum {unknown}
                         */
                        mode?: "text" | "embedding";
                        /** @description The secret that is the provider's key. Default: the installation's key. */
                        credential?: string;
                        /** @description Another address of the provider's API; at openai/… and unknown providers one that speaks OpenAI's chat completions. */
                        baseUrl?: string;
                        /** @description Further options by provider name, in the AI SDK's words. */
                        providerOptions?: {
                            [key: string]: {
                                [key: string]: unknown;
                            };
                        } | string;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
                external_api?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /** @description Default: POST where there is a body, else GET. */
                        method?: ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") | string;
                        /** @description http or https. Values of templates are percent-encoded, except that of one which begins the URL. */
                        url?: string;
                        /** @description Added to the URL: null is left out, a list repeats the name. */
                        query?: {
                            [key: string]: unknown;
                        } | string;
                        /** @description Request headers; null is left out. */
                        headers?: {
                            [key: string]: unknown;
                        } | string;
                        /** @description A text is sent as it is, anything else as JSON, or as a form or parts where the header `content-type` says application/x-www-form-urlencoded or multipart/form-data (a file: { base64, filename, contentType }); null or absent: none. */
                        body?: unknown;
                        /** @description The secret that is sent as `Authorization: Bearer …`. */
                        credential?: string;
                        /** @description How the call shows who makes it: one of basic, bearer, awsSigV4 and oauth2ClientCredentials. */
                        auth?: ({
                            /** @description `Authorization: Basic …`. */
                            basic?: {
                                /** @description Without ":". */
                                username: string;
                                /**
                                 * @description Its password.
                                 * @example {{ secrets.ACME_KEY }}
                                 */
                                password: string;
                            } & {
                                [key: string]: unknown;
                            };
                            /** @description `Authorization: Bearer …`, as `credential`; the token may come from another task. */
                            bearer?: {
                                /**
                                 * @description The token.
                                 * @example {{ secrets.ACME_KEY }}
                                 */
                                token: string;
                            } & {
                                [key: string]: unknown;
                            };
                            /** @description AWS Signature Version 4. */
                            awsSigV4?: {
                                /** @description The id of the key. */
                                accessKeyId: string;
                                /**
                                 * @description The key.
                                 * @example {{ secrets.ACME_KEY }}
                                 */
                                secretAccessKey: string;
                                /**
                                 * @description Of temporary credentials.
                                 * @example {{ secrets.ACME_KEY }}
                                 */
                                sessionToken?: string;
                                /**
                                 * @description Of the service.
                                 * @example eu-central-1
                                 */
                                region: string;
                                /**
                                 * @description As it is signed.
                                 * @example s3
                                 * @example execute-api
                                 * @example sqs
                                 */
                                service: string;
                            } & {
                                [key: string]: unknown;
                            };
                            /** @description OAuth 2.0 client credentials: the token is fetched once, kept until shortly before it expires, and fetched anew where the service refuses it. */
                            oauth2ClientCredentials?: {
                                /** @description Where tokens are fetched. */
                                tokenUrl: string;
                                /** @description The id of the client. */
                                clientId: string;
                                /**
                                 * @description Its secret.
                                 * @example {{ secrets.ACME_KEY }}
                                 */
                                clientSecret: string;
                                /** @description Scopes, with spaces between. */
                                scope?: string;
                                /** @description The API that the token is for, where the server asks. */
                                audience?: string;
                                /**
                                 * @description Where the client shows its id and secret: Basic authorization, or the form. Default: "header".
                                 * @enum {unknown}
                                 */
                                sendIn?: "header" | "body";
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | string;
                        /**
                         * @description Statuses, or classes such as 2xx, that are no failure. A redirect listed here is not followed. Default: "2xx".
                         * @example [
                         *       200,
                         *       404
                         *     ]
                         */
                        expectedStatus?: number | string | (number | string)[];
                        /** @description With POST and PATCH: an Idempotency-Key, the same for every attempt, is sent, and the call may be repeated. Default: false. */
                        idempotent?: boolean | string;
                        /** @description How the body is read whatever its Content-Type says: `json`, `text`, or `bytes` as { base64, contentType, length }. Absent: by its Content-Type. */
                        responseType?: ("json" | "text" | "bytes") | string;
                        /** @description Longest body, decompressed. What is stored (the outputMapping) may have 1 MB. Default: 1000000. */
                        maxResponseBytes?: number | string;
                        /** @description What each request that is sent costs, in US dollars; null: unknown. */
                        costUsd?: (number | string | null) | string;
                        /** @description The answer comes later, to task.callbackUrl (or with task.callbackToken); the task waits for it without a slot. */
                        callback?: ({
                            /** @description The wait fails with `timeout` after so long. Default: 3600. */
                            timeoutSeconds?: number;
                            /** @description Or when nothing has come for so long; a heartbeat counts. */
                            heartbeatSeconds?: number;
                        } & {
                            [key: string]: unknown;
                        }) | string;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
                human_review?: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    config?: {
                        /** @description approval: approved or rejected. input: somebody fills in formSchema. review: approved, with changes to what is shown, or rejected. Default: "approval". */
                        reviewType?: ("approval" | "input" | "review") | string;
                        /** @description What is asked, in one line. Default: the taskId. */
                        title?: string;
                        /** @description More of it, for whoever decides. */
                        description?: string;
                        /** @description Who may decide. Default: whoever may write reviews. */
                        assignees?: ({
                            /**
                             * @description A person, or all who have a key with the role.
                             * @enum {unknown}
                             */
                            type: "user" | "role";
                            /** @description The subject of their keys, or the role. */
                            id: string;
                        } & {
                            [key: string]: unknown;
                        })[] | string;
                        /** @description Different people who must approve. Default: 1. */
                        requiredApprovals?: number | string;
                        /** @description Rejections that decide it. Default: 1. */
                        rejectAfter?: number | string;
                        /** @description Whoever started the execution may decide as well. Default: false. */
                        selfApproval?: boolean | string;
                        /** @description JSON Schema 2020-12 of what is filled in, or of the changed data. */
                        formSchema?: {
                            [key: string]: unknown;
                        };
                        /** @description Higher first. Default: 5. */
                        priority?: number | string;
                        /** @description Counts from the opening. Default: never due. */
                        dueInSeconds?: number | string;
                        /** @description So long before it is due. */
                        remindBeforeSeconds?: number | string;
                        /** @description What happens when it is due. expire: the branch expired, where edges name it, else as fail. fail: the error expired. escalate: others are asked, with a new due time, at most 5 times. Default: "expire". */
                        onExpire?: ("expire" | "fail" | "approve" | "reject" | "escalate") | string;
                        /** @description Who is asked then. */
                        escalateTo?: ({
                            /**
                             * @description A person, or all who have a key with the role.
                             * @enum {unknown}
                             */
                            type: "user" | "role";
                            /** @description The subject of their keys, or the role. */
                            id: string;
                        } & {
                            [key: string]: unknown;
                        })[] | string;
                        notify?: components["schemas"]["DefinitionPart"];
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
            } & {
                [key: string]: {
                    /**
                     * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
                     * @example simulated/echo
                     */
                    modelId?: string;
                    /**
                     * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
                     * @example billing
                     */
                    serviceId?: string;
                    /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
                    timeoutSeconds?: number;
                    /**
                     * @description A policy, or a list of them: the first whose `retryOn` matches decides.
                     * @example {
                     *       "maxAttempts": 6
                     *     }
                     */
                    retry?: unknown;
                    cache?: components["schemas"]["DefinitionCache"];
                    /** @description What the type needs. */
                    config?: {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                };
            };
            /** @description The tasks. */
            nodes: components["schemas"]["DefinitionNode"][];
            /** @description A task that runs after a failed execution. Not supported in this release. */
            onFailure?: unknown;
            /** @description A task that runs after every execution. Not supported in this release. */
            finally?: unknown;
            /** @description Output of the execution. Default: outputs of the completed leaves by taskId. Any JSON; texts may hold {{ templates }}. */
            output?: unknown;
            /**
             * @description Schedules, webhooks and events that start it; saving the definition brings them in step.
             * @example [
             *       {
             *         "type": "schedule",
             *         "name": "daily",
             *         "cronExpression": "0 9 * * 1-5",
             *         "timezone": "Europe/Paris",
             *         "input": {}
             *       }
             *     ]
             */
            triggers?: components["schemas"]["DefinitionTrigger"][];
            /** @description Tests kept with the file. Not supported in this release. */
            tests?: unknown;
        } & {
            [key: string]: unknown;
        };
        /** @description An earlier output of the same is taken in place of the work, at no cost. */
        DefinitionCache: {
            /** @description How long an output may be used again. */
            ttlSeconds: number;
            /**
             * @description What must be equal for that, beside the task itself. Default: type, model, config and input. Any JSON; texts may hold {{ templates }}.
             * @example {{ input.url }}
             */
            key?: unknown;
        } & {
            [key: string]: unknown;
        };
        DefinitionDependency: {
            /**
             * @description Name of the task, unique in the definition.
             * @example plan
             */
            taskId: string;
            /**
             * @description Which end of the parent this edge follows. Default: "success".
             * @enum {unknown}
             */
            on?: "success" | "failure" | "any";
            /** @description The branch that the parent must choose. */
            branch?: string;
            /**
             * @description With on: failure: the codes it catches. Default: all.
             * @example [
             *       "timeout",
             *       "http_5xx",
             *       "*"
             *     ]
             */
            errors?: string[];
        } & {
            [key: string]: unknown;
        };
        DefinitionEventTrigger: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "event";
            /** @description Unique among the event triggers of the definition. Default: the type of the event. */
            name?: string;
            /**
             * @description Type of the events that start it.
             * @example order.created
             */
            event: string;
            /**
             * @description A condition over { event: { id, type, payload, at }, payload }; false: not this event.
             * @example payload.total > 100
             */
            when?: unknown;
            /** @description Makes the input of the execution. Any JSON; texts may hold {{ templates }} over { event, payload }. Default: the payload. */
            inputMapping?: unknown;
            /** @description Of the executions it starts; higher first. Default: 5. */
            priority?: number;
        } & {
            [key: string]: unknown;
        };
        DefinitionNode: ({
            /**
             * @description Name of the task, unique in the definition.
             * @example plan
             */
            taskId: string;
            /**
             * @description Type of the task.
             * @example transformation
             * @enum {string}
             */
            taskType: "transformation" | "condition" | "parallel" | "aggregation" | "wait" | "fail" | "terminate" | "model_inference" | "external_api" | "human_review";
            /**
             * @description Parents: taskIds, or edges with a branch or outcome. Default: [].
             * @example [
             *       "plan",
             *       {
             *         "taskId": "gate",
             *         "branch": "deep"
             *       },
             *       {
             *         "taskId": "fetch",
             *         "on": "failure",
             *         "errors": [
             *           "http_404"
             *         ]
             *       }
             *     ]
             */
            dependsOn?: unknown[];
            /**
             * @description Airflow's rules instead of the join rule; rarely needed.
             * @enum {unknown}
             */
            triggerRule?: "all_success" | "all_done" | "all_failed" | "none_failed" | "none_failed_min_one_success" | "none_skipped" | "one_success" | "one_failed" | "one_done";
            /**
             * @description A condition; false skips the task (a part of a parallel: null in its output).
             * @example $.input.depth > 1
             */
            conditionExpression?: unknown;
            /**
             * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
             * @example simulated/echo
             */
            modelId?: string;
            /**
             * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
             * @example billing
             */
            serviceId?: string;
            /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
            timeoutSeconds?: number;
            /**
             * @description A policy, or a list of them: the first whose `retryOn` matches decides.
             * @example {
             *       "maxAttempts": 6
             *     }
             */
            retry?: unknown;
            cache?: components["schemas"]["DefinitionCache"];
            /** @description What the type needs. */
            config?: {
                [key: string]: unknown;
            };
            /** @description Makes the task's input. Default: $.input for a root, else { parent: output }. Any JSON; texts may hold {{ templates }}. */
            inputMapping?: unknown;
            /** @description Sees the raw result as $.output; what it yields is stored. Any JSON; texts may hold {{ templates }}. */
            outputMapping?: unknown;
            repeat?: components["schemas"]["DefinitionRepeat"];
            /** @description Its failure counts as completed with output null. Default: false. */
            optional?: boolean;
            /** @description Undoes the task when the execution fails. Not supported in this release. */
            compensate?: unknown;
            /** @description Kept for editors and ignored. */
            ui?: unknown;
        } & {
            [key: string]: unknown;
        }) & (unknown & unknown & unknown & unknown & unknown & unknown & unknown & unknown & unknown & unknown);
        DefinitionPart: ({
            /**
             * @description Type of the task.
             * @example transformation
             * @enum {string}
             */
            taskType: "transformation" | "condition" | "parallel" | "aggregation" | "wait" | "fail" | "terminate" | "model_inference" | "external_api" | "human_review";
            /**
             * @description A condition; false skips the task (a part of a parallel: null in its output).
             * @example $.input.depth > 1
             */
            conditionExpression?: unknown;
            /**
             * @description provider/model, for model_inference; at most 401 characters once its templates are evaluated.
             * @example simulated/echo
             */
            modelId?: string;
            /**
             * @description Groups tasks under one shared limit. Default: the model provider, or the host that is called.
             * @example billing
             */
            serviceId?: string;
            /** @description Running time of one attempt. In seconds; fractions allowed. Default: 300. */
            timeoutSeconds?: number;
            /**
             * @description A policy, or a list of them: the first whose `retryOn` matches decides.
             * @example {
             *       "maxAttempts": 6
             *     }
             */
            retry?: unknown;
            cache?: components["schemas"]["DefinitionCache"];
            /** @description What the type needs. */
            config?: {
                [key: string]: unknown;
            };
            /** @description Makes the task's input. Default: $.input for a root, else { parent: output }. Any JSON; texts may hold {{ templates }}. */
            inputMapping?: unknown;
            /** @description Sees the raw result as $.output; what it yields is stored. Any JSON; texts may hold {{ templates }}. */
            outputMapping?: unknown;
            /** @description Its failure counts as completed with output null. Default: false. */
            optional?: boolean;
            /** @description Undoes the task when the execution fails. Not supported in this release. */
            compensate?: unknown;
            /** @description Kept for editors and ignored. */
            ui?: unknown;
            /** @description Runs the task in rounds. Not supported in this release. */
            repeat?: unknown;
        } & {
            [key: string]: unknown;
        }) & (unknown & unknown & unknown & unknown & unknown & unknown & unknown & unknown & unknown & unknown);
        DefinitionRepeat: {
            /**
             * @description A condition; sees the output of the round as $.output. Where it holds, the loop is over.
             * @example $.output.body.status == 'done'
             */
            until: unknown;
            /** @description Rounds at most. Default: 100. */
            maxIterations?: number;
            /** @description Between the end of a round and the next, in seconds. Default: 0. */
            delaySeconds?: number;
            /**
             * @description Where `until` never held: the error loop_limit, or as if it had. Default: "fail".
             * @enum {unknown}
             */
            onLimit?: "fail" | "complete";
            /**
             * @description What each round adds to the output, arrays joined; sees its output as $.output. Absent: the output is the last round's.
             * @example $.output.body.items
             */
            collect?: unknown;
            /** @description So many rounds in a row with the same output are the limit too. */
            stopWhenSame?: number;
        } & {
            [key: string]: unknown;
        };
        DefinitionRetry: {
            /** @description Tries in all, the first one counted. Default: 4. */
            maxAttempts?: number;
            /** @description Delay before the second try, in seconds. Default: 1. */
            initialIntervalSeconds?: number;
            /** @description Each delay is so many times the one before. Default: 2. */
            backoffCoefficient?: number;
            /** @description Longest delay, in seconds. Default: 60. */
            maxIntervalSeconds?: number;
            /**
             * @description full: a random part of the delay. Default: "full".
             * @enum {unknown}
             */
            jitter?: "full" | "none";
            /**
             * @description Codes that are retried. Default: the transient ones.
             * @example [
             *       "timeout",
             *       "http_5xx",
             *       "*"
             *     ]
             */
            retryOn?: string[];
            /**
             * @description Codes that are never retried.
             * @example [
             *       "timeout",
             *       "http_5xx",
             *       "*"
             *     ]
             */
            nonRetryableErrors?: string[];
        } & {
            [key: string]: unknown;
        };
        DefinitionScheduleTrigger: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "schedule";
            /**
             * @description Unique among the schedules of the definition.
             * @example daily
             */
            name: string;
            /**
             * @description Minute, hour, day of month, month, day of week: numbers, names, * , - and /.
             * @example 0 9 * * 1-5
             */
            cronExpression: string;
            /**
             * @description IANA name. Default: "UTC".
             * @example Europe/Paris
             */
            timezone?: string;
            /** @description Input of each execution: JSON, taken as it is. Default: {}. */
            input?: unknown;
            /** @description Of the executions it starts; higher first. Default: 5. */
            priority?: number;
            /**
             * @description At a tick while an earlier execution of the schedule is still open. Default: "skip".
             * @enum {unknown}
             */
            overlapPolicy?: "skip" | "buffer_one" | "allow_all" | "cancel_other";
            /**
             * @description Which ticks that nobody could fire in time are fired afterwards. Default: "last".
             * @enum {unknown}
             */
            catchupPolicy?: "none" | "last" | "all";
            /** @description How far back catch-up `all` looks. Default: 86400. */
            catchupWindowSeconds?: number;
            /** @description Ticks fire up to so much later, so that not all schedules start at once. Default: 0. */
            jitterSeconds?: number;
            /**
             * @description No tick before; ISO 8601 with a zone.
             * @example 2027-01-01T00:00:00Z
             */
            startAt?: string;
            /**
             * @description No tick from then on; ISO 8601 with a zone.
             * @example 2027-01-01T00:00:00Z
             */
            endAt?: string;
            /** @description Pauses the schedule when one of its executions fails. Default: false. */
            pauseOnFailure?: boolean;
        } & {
            [key: string]: unknown;
        };
        /** @description What starts the workflow. */
        DefinitionTrigger: components["schemas"]["DefinitionScheduleTrigger"] | components["schemas"]["DefinitionWebhookTrigger"] | components["schemas"]["DefinitionEventTrigger"];
        DefinitionWebhookTrigger: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "webhook";
            /**
             * @description What follows /hooks/<tenant>/ in its address; unique in the tenant.
             * @example orders
             */
            path: string;
            /** @description For people. */
            name?: string;
            /**
             * @description How senders show the secret. Default: none with a verifier, else secret.
             * @enum {unknown}
             */
            authType?: "none" | "secret" | "basic" | "bearer";
            /**
             * @description How senders sign what they send.
             * @enum {unknown}
             */
            verifier?: "standard_webhooks" | "github" | "stripe" | "slack" | "hmac" | "shopify" | "zoom" | "zendesk" | "twilio" | "discord" | "meta" | "sns";
            /**
             * @description {{ secrets.NAME }}, or the secret itself: that is sealed with the webhook, and not kept in the definition.
             * @example {{ secrets.GITHUB }}
             */
            secret?: string;
            /** @description Of the verifier: names of headers, algorithm, encoding, prefix, template, timestampFormat, keyEncoding, url, topicArn. */
            options?: {
                [key: string]: unknown;
            };
            /** @description Requests that are deliveries; one by HEAD is answered, and nothing else. Default: ["POST"]. */
            methods?: ("POST" | "PUT" | "GET" | "HEAD")[];
            /** @description How questions of the sender whether the address is right are answered. */
            handshakes?: ({
                /** @enum {unknown} */
                type: "hub_challenge" | "validation_token" | "zoom" | "asana" | "sns";
                /**
                 * @description Of hub_challenge: {{ secrets.NAME }}, or the token itself: that is sealed with the webhook, and not kept in the definition. Default: the one that the webhook has.
                 * @example {{ secrets.META_VERIFY }}
                 */
                verifyToken?: string;
                /** @description Of sns: the one topic that is confirmed. */
                topicArn?: string;
                /** @description Of sns: where confirmations go, if not Amazon's hosts. */
                host?: string;
            } & {
                [key: string]: unknown;
            })[];
            /** @description What the sender is answered. Default: 202 with the receipt. */
            respond?: {
                /**
                 * @description At once, or when the execution has ended. Default: "completed".
                 * @enum {unknown}
                 */
                when?: "received" | "completed";
                /** @description The answer is 202 after so long. Default: 25. */
                withinSeconds?: number;
                /** @description Default: 200, or 500 where the execution did not complete. */
                status?: number | string;
                /** @description content-type, content-language, cache-control, retry-after, location, link, x-…. */
                headers?: {
                    [key: string]: unknown;
                };
                /**
                 * @description Any JSON with templates over { execution, body, headers, query, method }. Default: the output.
                 * @example {{ execution.output.text }}
                 */
                body?: unknown;
            } & {
                [key: string]: unknown;
            };
            /** @description Makes the input of the execution. Any JSON; texts may hold {{ templates }} over { body, headers, query, method }. Default: the body. */
            inputMapping?: unknown;
            /** @description Which deliveries start an execution: OR within a logicGroup, AND between groups. */
            filters?: ({
                /** @example body.action */
                fieldPath: string;
                /** @example equals */
                operator: string;
                value?: unknown;
                logicGroup?: unknown;
            } & {
                [key: string]: unknown;
            })[];
            /** @description Of the executions it starts; higher first. Default: 5. */
            priority?: number;
        } & {
            [key: string]: unknown;
        };
        /** @description An event, and what became of it. */
        Event: {
            /** Format: uuid */
            id: string;
            type: string;
            payload: unknown;
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description Null: its triggers have not been looked at yet.
             */
            processedAt: string | null;
            /** @description Null until then. */
            executionsStarted: number | null;
            /** @description Triggers that could not start their workflow. */
            errors: {
                workflowId: string;
                /** @description Of the trigger. */
                name: string;
                code: string;
                message: string;
            }[];
        };
        /** @description A page. */
        EventPage: {
            items: components["schemas"]["Event"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description One execution, without its tasks. */
        Execution: {
            /** Format: uuid */
            id: string;
            workflowId: string;
            revision: number;
            /** @enum {string} */
            status: "pending" | "running" | "paused" | "completed" | "failed" | "cancelled";
            /** @description What it ended with. */
            output: unknown;
            /** @description Why it failed; null: it did not. */
            error: components["schemas"]["TaskError"] | null;
            /** @description Some failure was caught or optional. */
            completedWithErrors: boolean;
            /**
             * @description US dollars, an exact decimal; null: some of it has no known price.
             * @example 0.00000213
             */
            costUsd: string | null;
            durationMs: number | null;
            /** @enum {string} */
            triggerType: "manual" | "api" | "schedule" | "webhook" | "sql" | "sub_workflow" | "event";
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description When a worker opened it.
             */
            startedAt: string | null;
            /**
             * Format: date-time
             * @description When it ended.
             */
            completedAt: string | null;
        };
        /** @description One execution with what was asked for. */
        ExecutionDetail: {
            /** Format: uuid */
            id: string;
            workflowId: string;
            revision: number;
            /** @enum {string} */
            status: "pending" | "running" | "paused" | "completed" | "failed" | "cancelled";
            /** @description What it ended with. */
            output: unknown;
            /** @description Why it failed; null: it did not. */
            error: components["schemas"]["TaskError"] | null;
            /** @description Some failure was caught or optional. */
            completedWithErrors: boolean;
            /**
             * @description US dollars, an exact decimal; null: some of it has no known price.
             * @example 0.00000213
             */
            costUsd: string | null;
            durationMs: number | null;
            /** @enum {string} */
            triggerType: "manual" | "api" | "schedule" | "webhook" | "sql" | "sub_workflow" | "event";
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description When a worker opened it.
             */
            startedAt: string | null;
            /**
             * Format: date-time
             * @description When it ended.
             */
            completedAt: string | null;
            priority: number;
            /**
             * Format: date-time
             * @description Before then it is not opened; null: at once.
             */
            runAt: string | null;
            /**
             * Format: date-time
             * @description Since when it is paused.
             */
            pausedAt: string | null;
            /** @description Who started it. */
            createdBy: string | null;
            input: unknown;
            metadata: unknown;
            /** @description Parts that are null here since they would make the answer larger than 8 MB: GET /v1/executions/{id}/parts/{part} gives each. */
            leftOut: ("error" | "metadata" | "input" | "output")[];
        };
        /** @description A page. */
        ExecutionPage: {
            items: components["schemas"]["Execution"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description An execution and where it stands. */
        ExecutionStatus: {
            /**
             * Format: uuid
             * @description Of the execution.
             */
            id: string;
            /** @enum {string} */
            status: "pending" | "running" | "paused" | "completed" | "failed" | "cancelled";
        };
        /** @description One line of a log. */
        LogLine: {
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            at: string;
            /** @enum {string} */
            level: "debug" | "info" | "warn" | "error";
            /** @description Null: the execution itself. */
            taskId: string | null;
            mapIndex: number | null;
            attempt: number | null;
            message: string;
            /** @description What else the line tells. */
            fields: {
                [key: string]: unknown;
            } | null;
        };
        /** @description A page. */
        LogLinePage: {
            items: components["schemas"]["LogLine"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description A key that has just been made. */
        MadeApiKey: {
            /** Format: uuid */
            id: string;
            name: string;
            /** @description For whom it acts; null: for itself. */
            subject: string | null;
            roles: ("admin" | "editor" | "viewer" | "reviewer")[];
            /** @description Besides what the roles grant. */
            scopes: ("workflows:read" | "workflows:write" | "executions:read" | "executions:write" | "reviews:read" | "reviews:write" | "schedules:read" | "schedules:write" | "webhooks:read" | "webhooks:write" | "events:read" | "events:write" | "variables:read" | "variables:write" | "credentials:read" | "credentials:write" | "service-limits:read" | "service-limits:write" | "pricing:read" | "pricing:write" | "stats:read" | "stats:write" | "tenants:read" | "tenants:write" | "api-keys:read" | "api-keys:write" | "audit:read" | "audit:write" | "actors:assert")[];
            /**
             * @description Who made it: an actor.
             * @example user:alice
             */
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description Null: never.
             */
            expiresAt: string | null;
            /**
             * Format: date-time
             * @description Null: it is not.
             */
            revokedAt: string | null;
            /**
             * Format: date-time
             * @description To a minute; null: never.
             */
            lastUsedAt: string | null;
            /**
             * @description The key itself; in this answer only.
             * @example dw_<id>_<secret>
             */
            key: string;
        };
        /** @description A webhook that has just been made. */
        MadeWebhook: {
            /** Format: uuid */
            id: string;
            workflowId: string;
            /** @description As it follows /hooks/: begins with the tenant's name. */
            path: string;
            /** @description Where the sender delivers. */
            url: string;
            /**
             * @description How the sender shows the secret.
             * @enum {string}
             */
            authType: "none" | "secret" | "basic" | "bearer";
            /**
             * @description Whose signatures are checked.
             * @enum {string|null}
             */
            verifier: "standard_webhooks" | "github" | "stripe" | "slack" | "hmac" | "shopify" | "zoom" | "zendesk" | "twilio" | "discord" | "meta" | "sns" | null;
            /** @description Of the verifier, and names of headers. */
            options: {
                [key: string]: unknown;
            };
            /** @description Requests that are deliveries; null: POST. */
            methods: string[] | null;
            /** @description How questions whether the address is right are answered; null: not. */
            handshakes: {
                [key: string]: unknown;
            }[] | null;
            /** @description What the sender is answered; null: 202. */
            respond: {
                [key: string]: unknown;
            } | null;
            /** @description Makes the input; null: the body is it. */
            inputMapping: unknown;
            filters: {
                fieldPath: string;
                operator: string;
                value?: unknown;
                logicGroup?: string | number | null;
            }[];
            priority: number;
            /** @enum {string} */
            status: "active" | "paused";
            /**
             * @description Of its workflow: only an `active` one starts; null: there is no such workflow.
             * @enum {string|null}
             */
            workflowStatus: "draft" | "active" | "archived" | null;
            hasSecret: boolean;
            /** @description What is allowed and probably not meant. */
            warnings: components["schemas"]["ProblemEntry"][];
            /** @description That are taken now, without themselves. */
            secrets: {
                /** Format: date-time */
                createdAt: string;
                /**
                 * Format: date-time
                 * @description Null: it is the current one.
                 */
                expiresAt: string | null;
            }[];
            /** @description Kept in step with `triggers` of the definition. */
            fromDefinition: boolean;
            /**
             * Format: date-time
             * @description When the definition left it out; null: it is there.
             */
            removedAt: string | null;
            /**
             * @description Who made it: an actor.
             * @example user:alice
             */
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description Where it was made up; in this answer only. */
            secret?: string;
        };
        /** @description An outside service that is limited or held back. */
        OutsideService: {
            serviceId: string;
            /** @description Calls at once; null: no limit. */
            maxConcurrency: number | null;
            /** @description Calls that may start within the interval; null: no limit. */
            rateLimit: number | null;
            rateIntervalSeconds: number | null;
            /** @description Calls under way, of all tenants; known with `maxConcurrency`, told to the operator only. */
            inFlight: number | null;
            /**
             * @description Of its circuit breaker. `half_open`: the next call tries it; `paused`: it asked for no calls itself.
             * @enum {string}
             */
            state: "closed" | "open" | "half_open" | "paused";
            /** @description How often in a row it has opened. */
            openings: number;
            /** @description Until calls may begin again; 0: now. */
            retryInMs: number;
            /** @description Code of the error that held it back. */
            lastError: string | null;
        };
        /** @description A page. */
        OutsideServicePage: {
            items: components["schemas"]["OutsideService"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description A service whose circuit breaker is closed. */
        OutsideServiceReset: {
            serviceId: string;
            /** @description False: there was nothing to end. */
            wasHeldBack: boolean;
        };
        /** @description A nominal time that comes. */
        PreviewedTick: {
            /**
             * Format: date-time
             * @description The nominal time, UTC.
             */
            scheduledAt: string;
            /**
             * Format: date-time
             * @description The same in the schedule's zone, with its offset.
             * @example 2027-03-28T09:00:00+02:00
             */
            localTime: string;
            /**
             * Format: date-time
             * @description With jitter, UTC.
             */
            dueAt: string;
        };
        /** @description What a model costs. */
        Price: {
            provider: string;
            /** @description `*`: all models of the provider. */
            model: string;
            /** @enum {string} */
            source: "library" | "reviewed" | "operator";
            /** @description Of a reviewed price: where it was read, and on which day. */
            reference?: string;
            /**
             * Format: date-time
             * @description Null: always.
             */
            effectiveFrom: string | null;
            /** @description Holds from this time of day (UTC); null: all day. */
            dailyFrom: string | null;
            dailyUntil: string | null;
            /**
             * @description US dollars per million tokens; null: not charged by itself, or not known.
             * @example 2.50
             */
            inputUsdPerMillion: string | null;
            /**
             * @description US dollars per million tokens; null: not charged by itself, or not known.
             * @example 2.50
             */
            cachedInputUsdPerMillion: string | null;
            /**
             * @description US dollars per million tokens; null: not charged by itself, or not known.
             * @example 2.50
             */
            cacheWriteUsdPerMillion: string | null;
            /**
             * @description US dollars per million tokens; null: not charged by itself, or not known.
             * @example 2.50
             */
            outputUsdPerMillion: string | null;
            /** @description US dollars per million of a kind, `webSearches` and `requests` per thousand. */
            otherRates: {
                [key: string]: string;
            };
            /** @description What is different for calls with more input tokens. */
            tiers: {
                aboveInputTokens: number;
                /** @description US dollars per million of a kind, `webSearches` and `requests` per thousand. */
                rates: {
                    [key: string]: string;
                };
            }[];
        };
        /** @description A page. */
        PricePage: {
            items: components["schemas"]["Price"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description RFC 9457: what went wrong. */
        Problem: {
            /** @constant */
            type: "about:blank";
            /** @description The phrase of the status. */
            title: string;
            status: number;
            /** @description What went wrong, for people. */
            detail: string;
            /** @description What went wrong, for programs. */
            code: string;
            /** @description All problems of a request. */
            errors: {
                /** @description JSON pointer into the body; /query/…, /params/… and /headers/… else. */
                pointer: string;
                code: string;
                message: string;
                hint?: string;
            }[];
        };
        ProblemEntry: {
            /** @description JSON pointer into the body. */
            pointer: string;
            code: string;
            message: string;
            hint?: string;
        };
        /** @description The event is stored, and what it led to. */
        Receipt: {
            /** Format: uuid */
            eventId: string;
            /** @enum {string} */
            status: "received" | "processed" | "filtered" | "failed";
            /**
             * Format: uuid
             * @description That it started.
             */
            executionId?: string;
        };
        /** @description What people are asked. */
        Review: {
            title: string;
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            executionId: string;
            workflowId: string;
            taskId: string;
            /** @description Of an item of a fan-out. */
            mapIndex: number | null;
            /** @description Of this review: a decision may name it. */
            fence: number;
            /** @enum {string} */
            reviewType: "approval" | "input" | "review";
            description: string | null;
            /**
             * @description All but `open` are final.
             * @enum {string}
             */
            status: "open" | "approved" | "rejected" | "submitted" | "expired" | "cancelled";
            /** @description 1 to 10, higher first. */
            priority: number;
            /** @description None: whoever may write reviews. */
            assignees: components["schemas"]["Assignee"][];
            /** @description Who has taken it on; null: nobody. */
            claimedBy: string | null;
            /** @description Different people who must approve. */
            requiredApprovals: number;
            /** @description Rejections that decide it. */
            rejectAfter: number;
            /** @description Whoever started the execution may decide as well. */
            selfApproval: boolean;
            approvals: number;
            rejections: number;
            /** Format: date-time */
            openedAt: string;
            /**
             * Format: date-time
             * @description Null: never.
             */
            dueAt: string | null;
            /**
             * Format: date-time
             * @description Null: nobody is reminded.
             */
            remindAt: string | null;
            /**
             * @description What happens when it is due.
             * @enum {string}
             */
            onExpire: "expire" | "fail" | "approve" | "reject" | "escalate";
            /** @description How often others were asked. */
            escalations: number;
            /** @description What went wrong when people were last told of it; null: nothing. */
            notifyError: string[] | null;
            /** @description `system`: it expired. Null: it is open, or was cancelled. */
            decidedBy: string | null;
            /**
             * Format: date-time
             * @description When it was closed; null: it is open.
             */
            decidedAt: string | null;
        };
        /** @description A review with what is shown, and what people said. */
        ReviewDetail: {
            title: string;
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            executionId: string;
            workflowId: string;
            taskId: string;
            /** @description Of an item of a fan-out. */
            mapIndex: number | null;
            /** @description Of this review: a decision may name it. */
            fence: number;
            /** @enum {string} */
            reviewType: "approval" | "input" | "review";
            description: string | null;
            /**
             * @description All but `open` are final.
             * @enum {string}
             */
            status: "open" | "approved" | "rejected" | "submitted" | "expired" | "cancelled";
            /** @description 1 to 10, higher first. */
            priority: number;
            /** @description None: whoever may write reviews. */
            assignees: components["schemas"]["Assignee"][];
            /** @description Who has taken it on; null: nobody. */
            claimedBy: string | null;
            /** @description Different people who must approve. */
            requiredApprovals: number;
            /** @description Rejections that decide it. */
            rejectAfter: number;
            /** @description Whoever started the execution may decide as well. */
            selfApproval: boolean;
            approvals: number;
            rejections: number;
            /** Format: date-time */
            openedAt: string;
            /**
             * Format: date-time
             * @description Null: never.
             */
            dueAt: string | null;
            /**
             * Format: date-time
             * @description Null: nobody is reminded.
             */
            remindAt: string | null;
            /**
             * @description What happens when it is due.
             * @enum {string}
             */
            onExpire: "expire" | "fail" | "approve" | "reject" | "escalate";
            /** @description How often others were asked. */
            escalations: number;
            /** @description What went wrong when people were last told of it; null: nothing. */
            notifyError: string[] | null;
            /** @description `system`: it expired. Null: it is open, or was cancelled. */
            decidedBy: string | null;
            /**
             * Format: date-time
             * @description When it was closed; null: it is open.
             */
            decidedAt: string | null;
            /** @description What is shown: the task's input. */
            payload: {
                [key: string]: unknown;
            } | unknown[] | (string | number | boolean | null);
            /** @description JSON Schema of what is filled in; null: there is no form. */
            formSchema: {
                [key: string]: unknown;
            } | null;
            /** @description SHA-256, hex, of what was shown. */
            shownHash: string;
            /** @description Votes and comments in order of time, the latest 200. */
            responses: {
                by: string;
                /**
                 * @description Null: a comment.
                 * @enum {string|null}
                 */
                decision: "approved" | "rejected" | "submitted" | null;
                comment: string | null;
                /** @description What was filled in or changed. */
                data: {
                    [key: string]: unknown;
                } | unknown[] | (string | number | boolean | null);
                /** Format: date-time */
                at: string;
            }[];
        };
        /** @description A link, with what is secret of it. */
        ReviewLink: {
            url: string;
            /** Format: date-time */
            expiresAt: string;
        };
        /** @description A page. */
        ReviewPage: {
            items: components["schemas"]["Review"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description A revision, without its definition. */
        Revision: {
            workflowId: string;
            revision: number;
            /** @description Starts take this one. */
            isCurrent: boolean;
            /** @description Lowest tier of a tenant that may start it. */
            minTier: number;
            /** @description The author's own label. */
            version: string | null;
            /** @description Who saved it. */
            createdBy: string | null;
            /** Format: date-time */
            createdAt: string;
        };
        /** @description A revision with its definition. */
        RevisionDetail: {
            workflowId: string;
            revision: number;
            /** @description Starts take this one. */
            isCurrent: boolean;
            /** @description Lowest tier of a tenant that may start it. */
            minTier: number;
            /** @description The author's own label. */
            version: string | null;
            /** @description Who saved it. */
            createdBy: string | null;
            /** Format: date-time */
            createdAt: string;
            definition: components["schemas"]["Definition"];
        };
        /** @description A page. */
        RevisionPage: {
            items: components["schemas"]["Revision"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description The workflow, with the triggers that count now. */
        RolledBackWorkflow: {
            workflowId: string;
            name: string | null;
            category: string;
            /**
             * @description Only `active` ones start.
             * @enum {string}
             */
            status: "draft" | "active" | "archived";
            /** @description The one that starts take. */
            revision: number;
            /** @description Another than `revision` after a rollback. */
            latestRevision: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            triggers: components["schemas"]["WorkflowTriggers"];
        };
        /** @description A finished execution with its tasks, as `dagwright run --json` prints it. */
        Run: {
            /** Format: uuid */
            id: string;
            workflowId: string;
            revision: number;
            /** @enum {string} */
            status: "pending" | "running" | "paused" | "completed" | "failed" | "cancelled";
            /** @description What it ended with. */
            output: unknown;
            /** @description Why it failed; null: it did not. */
            error: components["schemas"]["TaskError"] | null;
            /** @description Some failure was caught or optional. */
            completedWithErrors: boolean;
            /**
             * @description US dollars, an exact decimal; null: some of it has no known price.
             * @example 0.00000213
             */
            costUsd: string | null;
            durationMs: number | null;
            /** @enum {string} */
            triggerType: "manual" | "api" | "schedule" | "webhook" | "sql" | "sub_workflow" | "event";
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description When a worker opened it.
             */
            startedAt: string | null;
            /**
             * Format: date-time
             * @description When it ended.
             */
            completedAt: string | null;
            tasks: components["schemas"]["Task"][];
        };
        /** @description What saving a definition has done. */
        SavedWorkflow: {
            workflowId: string;
            revision: number;
            /** @enum {string} */
            status: "draft" | "active" | "archived";
            /** @enum {string} */
            outcome: "created" | "changed" | "unchanged";
            /** @description What is allowed and probably not meant. */
            warnings: components["schemas"]["ProblemEntry"][];
            triggers: components["schemas"]["WorkflowTriggers"];
        };
        /** @description A schedule. */
        Schedule: {
            /** Format: uuid */
            id: string;
            workflowId: string;
            name: string;
            cronExpression: string;
            /** @description IANA name. */
            timezone: string;
            /** @description Of each execution. */
            input: unknown;
            priority: number;
            /** @enum {string} */
            overlapPolicy: "skip" | "buffer_one" | "allow_all" | "cancel_other";
            /** @enum {string} */
            catchupPolicy: "none" | "last" | "all";
            catchupWindowSeconds: number;
            jitterSeconds: number;
            /**
             * Format: date-time
             * @description No tick before.
             */
            startAt: string | null;
            /**
             * Format: date-time
             * @description No tick from then on.
             */
            endAt: string | null;
            pauseOnFailure: boolean;
            /** @enum {string} */
            status: "active" | "paused";
            /**
             * @description Of its workflow: only an `active` one starts; null: there is no such workflow.
             * @enum {string|null}
             */
            workflowStatus: "draft" | "active" | "archived" | null;
            pausedReason: string | null;
            /**
             * Format: date-time
             * @description The next nominal time; null: it is paused, or none comes.
             */
            nextRunAt: string | null;
            /**
             * Format: date-time
             * @description The latest nominal time that was decided.
             */
            lastRunAt: string | null;
            /**
             * Format: uuid
             * @description The last execution that a tick started.
             */
            lastExecutionId: string | null;
            /** @description Kept in step with `triggers` of the definition. */
            fromDefinition: boolean;
            /**
             * Format: date-time
             * @description When the definition left it out; null: it is there.
             */
            removedAt: string | null;
            /**
             * @description Who made it: an actor.
             * @example user:alice
             */
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description A page. */
        SchedulePage: {
            items: components["schemas"]["Schedule"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        SentSignal: {
            /**
             * Format: uuid
             * @description Of the execution.
             */
            id: string;
            signal: string;
            /**
             * @description `stored`: no task waits for it yet, or the condition of one has to be asked; `duplicate`: it was sent before.
             * @enum {string}
             */
            status: "delivered" | "stored" | "duplicate";
        };
        /** @description Limits of an outside service. */
        ServiceLimit: {
            serviceId: string;
            /** @description Calls at once; null: no limit. */
            maxConcurrency: number | null;
            /** @description Calls that may start within the interval; null: no limit. */
            rateLimit: number | null;
            rateIntervalSeconds: number | null;
        };
        /** @description A tenant's executions in numbers. */
        Stats: {
            /** @description Executions created in the last 24 hours, by their status now; absent: none. */
            last24h: {
                pending?: number;
                running?: number;
                paused?: number;
                completed?: number;
                failed?: number;
                cancelled?: number;
            };
            /** @description Executions that have not ended, whenever they were created. */
            open: {
                pending: number;
                running: number;
                paused: number;
            };
            /** @description Tasks that are ready for a worker. */
            queue: {
                tasks: number;
                /** @description How long the first has been ready; null: none is. */
                oldestMs: number | null;
            };
            costUsd: {
                /**
                 * @description US dollars, an exact decimal: executions created today (UTC), without unknown prices.
                 * @example 0.00000213
                 */
                today: string;
                /**
                 * @description US dollars, an exact decimal: executions created this month (UTC), without unknown prices.
                 * @example 0.00000213
                 */
                month: string;
            };
            /** @description The 20 busiest of the last 24 hours. */
            workflows: {
                workflowId: string;
                executions: number;
                failed: number;
                /**
                 * @description US dollars, an exact decimal: of them all.
                 * @example 0.00000213
                 */
                costUsd: string;
                /** @description Median of those that ended; null: none has. */
                p50Ms: number | null;
                /** @description 95th percentile. */
                p95Ms: number | null;
            }[];
            /** @description False: only the newest executions were counted. */
            isComplete: boolean;
        };
        /** @description One task of an execution, or one item of it. */
        Task: {
            taskId: string;
            /** @description Of an item of a fan-out; null: the task itself. */
            mapIndex: number | null;
            taskType: string;
            /** @enum {string} */
            status: "pending" | "running" | "waiting" | "retrying" | "completed" | "failed" | "skipped" | "cancelled";
            /**
             * @description Why it was skipped.
             * @enum {string|null}
             */
            reason: "condition_false" | "branch_not_taken" | "upstream_skipped" | "upstream_failed" | "execution_failed" | "terminated" | "skipped_by_operator" | null;
            attempt: number;
            output: unknown;
            /** @description Why it failed; null: it did not. */
            error: components["schemas"]["TaskError"] | null;
            /**
             * @description US dollars, an exact decimal; null: some of it has no known price.
             * @example 0.00000213
             */
            costUsd: string | null;
            /** @description Running time, without waiting. */
            durationMs: number | null;
            /**
             * Format: date-time
             * @description Of the latest attempt.
             */
            startedAt: string | null;
            /**
             * Format: date-time
             * @description When it ended.
             */
            completedAt: string | null;
            /** @description Provider, model, tokens, latency. */
            resourceUsage: unknown;
        };
        /** @description Why it failed. */
        TaskError: {
            /** @example http_404 */
            code: string;
            message: string;
            taskId?: string;
            /** @description Of an HTTP answer. */
            status?: number;
            details?: unknown;
            /** @description How many there were, where it is final. */
            attempts?: number;
        };
        /** @description A page. */
        TaskPage: {
            items: components["schemas"]["Task"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description A tenant. */
        Tenant: {
            /** Format: uuid */
            id: string;
            name: string;
            displayName: string | null;
            tier: number;
            /** @enum {string} */
            status: "active" | "suspended";
            /** @description Turns of its tasks for one of a tenant of weight 1, where both wait. */
            weight: number;
            /** @description The operator's; null: none. */
            limits: {
                /** @description Tasks that run at once, on all workers. */
                maxRunningTasks: number | null;
                /** @description Executions that start within any minute. */
                maxStartsPerMinute: number | null;
                /** @description Executions that are recorded and not opened. */
                maxWaitingExecutions: number | null;
            };
            /** @description Its owner's. */
            settings: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description A page. */
        TenantPage: {
            items: components["schemas"]["Tenant"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description What became of a nominal time. */
        Tick: {
            /**
             * Format: date-time
             * @description The nominal time.
             */
            scheduledAt: string;
            /** @enum {string} */
            status: "buffered" | "fired" | "skipped_overlap" | "missed" | "backfilled";
            /**
             * Format: uuid
             * @description What it started.
             */
            executionId: string | null;
            /** Format: date-time */
            decidedAt: string;
            /** @description Why it started nothing. */
            reason: string | null;
        };
        /** @description A page. */
        TickPage: {
            items: components["schemas"]["Tick"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description What is wrong with a definition. */
        Validation: {
            valid: boolean;
            /** @description Where it is valid. */
            workflowId?: string;
            /** @description All of them; empty where it is valid. */
            errors: components["schemas"]["ProblemEntry"][];
            /** @description What is allowed and probably not meant. */
            warnings: components["schemas"]["ProblemEntry"][];
            /** @description With `explain`, where it is valid. */
            explanation?: string;
        };
        /** @description A variable. */
        Variable: {
            name: string;
            value: unknown;
            description: string | null;
            /**
             * @description Who made it: an actor.
             * @example user:alice
             */
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description A page. */
        VariablePage: {
            items: components["schemas"]["Variable"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description What it waits for, by kind. */
        WaitsFor: {
            /** @enum {string} */
            kind: "parents";
            /** @description Those that are open, at most 20. */
            parents: {
                taskId: string;
                /** @enum {string} */
                status: "pending" | "running" | "waiting" | "retrying" | "completed" | "failed" | "skipped" | "cancelled";
            }[];
            /** @description Of all edges that are open. */
            count: number;
        } | {
            /** @enum {string} */
            kind: "timer";
            /** Format: date-time */
            until: string;
            /** @description What of an outside service holds it back: its circuit breaker, a pause that it asked for, or its limits. */
            heldBy?: {
                service: string;
                /** @enum {string} */
                by: "breaker" | "pause" | "limit";
            };
        } | {
            /** @enum {string} */
            kind: "retry";
            /** Format: date-time */
            until: string;
            attempt: number;
            /** @description What the attempt before ended with. */
            lastError: {
                code: string;
                message: string;
            } | null;
        } | {
            /** @enum {string} */
            kind: "callback";
            /**
             * Format: date-time
             * @description When it gives up; null: never.
             */
            until: string | null;
        } | {
            /** @enum {string} */
            kind: "items";
            total: number;
            open: number;
            completed: number;
            failed: number;
        } | {
            /** @enum {string} */
            kind: "signal";
            /**
             * Format: date-time
             * @description When it gives up; null: never.
             */
            until: string | null;
            signals: string[];
        } | {
            /** @enum {string} */
            kind: "review";
            /** Format: uuid */
            review: string;
            /**
             * Format: date-time
             * @description When it is due; null: never.
             */
            until: string | null;
        } | {
            /** @enum {string} */
            kind: "task_type";
            /** Format: date-time */
            since: string;
            /** @description That no live worker has, or none has all of. */
            types: string[];
        } | {
            /** @enum {string} */
            kind: "queue";
            /** Format: date-time */
            since: string;
            /** @description Tasks of its tenant that may run at once, by the operator's limit; null: as many as there is room for. */
            maxRunningTasks: number | null;
        } | {
            /** @enum {string} */
            kind: "worker";
            workerId: string;
            /**
             * Format: date-time
             * @description When the attempt began.
             */
            since: string | null;
            attempt: number;
        } | {
            /** @enum {string} */
            kind: "resume";
            /**
             * Format: date-time
             * @description When it was paused.
             */
            since: string | null;
        } | {
            /** @enum {string} */
            kind: "run_at";
            /** Format: date-time */
            until: string;
        } | {
            /** @enum {string} */
            kind: "open";
            /** Format: date-time */
            since: string;
            /** @description Tasks of its tenant that may run at once, by the operator's limit; null: as many as there is room for. */
            maxRunningTasks: number | null;
        } | {
            /** @enum {string} */
            kind: "conclusion";
        };
        /** @description A webhook. */
        Webhook: {
            /** Format: uuid */
            id: string;
            workflowId: string;
            /** @description As it follows /hooks/: begins with the tenant's name. */
            path: string;
            /** @description Where the sender delivers. */
            url: string;
            /**
             * @description How the sender shows the secret.
             * @enum {string}
             */
            authType: "none" | "secret" | "basic" | "bearer";
            /**
             * @description Whose signatures are checked.
             * @enum {string|null}
             */
            verifier: "standard_webhooks" | "github" | "stripe" | "slack" | "hmac" | "shopify" | "zoom" | "zendesk" | "twilio" | "discord" | "meta" | "sns" | null;
            /** @description Of the verifier, and names of headers. */
            options: {
                [key: string]: unknown;
            };
            /** @description Requests that are deliveries; null: POST. */
            methods: string[] | null;
            /** @description How questions whether the address is right are answered; null: not. */
            handshakes: {
                [key: string]: unknown;
            }[] | null;
            /** @description What the sender is answered; null: 202. */
            respond: {
                [key: string]: unknown;
            } | null;
            /** @description Makes the input; null: the body is it. */
            inputMapping: unknown;
            filters: {
                fieldPath: string;
                operator: string;
                value?: unknown;
                logicGroup?: string | number | null;
            }[];
            priority: number;
            /** @enum {string} */
            status: "active" | "paused";
            /**
             * @description Of its workflow: only an `active` one starts; null: there is no such workflow.
             * @enum {string|null}
             */
            workflowStatus: "draft" | "active" | "archived" | null;
            hasSecret: boolean;
            /** @description What is allowed and probably not meant. */
            warnings: components["schemas"]["ProblemEntry"][];
            /** @description That are taken now, without themselves. */
            secrets: {
                /** Format: date-time */
                createdAt: string;
                /**
                 * Format: date-time
                 * @description Null: it is the current one.
                 */
                expiresAt: string | null;
            }[];
            /** @description Kept in step with `triggers` of the definition. */
            fromDefinition: boolean;
            /**
             * Format: date-time
             * @description When the definition left it out; null: it is there.
             */
            removedAt: string | null;
            /**
             * @description Who made it: an actor.
             * @example user:alice
             */
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description A delivery that was verified, without what it brought. */
        WebhookEvent: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            webhookId: string;
            /** @description The sender's name of the delivery; null: it gave none. */
            deliveryId: string | null;
            /** @enum {string} */
            status: "received" | "processed" | "filtered" | "failed";
            /**
             * Format: uuid
             * @description The first execution that it started.
             */
            executionId: string | null;
            /**
             * Format: uuid
             * @description The one of the latest replay.
             */
            replayExecutionId: string | null;
            /** @description Why it failed, or could not start. */
            error: components["schemas"]["TaskError"] | null;
            /** @description What was taken otherwise than it was sent: numbers beyond 2^53 are kept as texts. */
            warnings: {
                pointer: string;
                code: string;
                message: string;
            }[];
            replays: number;
            /** Format: date-time */
            receivedAt: string;
            /**
             * Format: date-time
             * @description Null: not decided yet.
             */
            processedAt: string | null;
        };
        /** @description A delivery with what it brought. */
        WebhookEventDetail: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            webhookId: string;
            /** @description The sender's name of the delivery; null: it gave none. */
            deliveryId: string | null;
            /** @enum {string} */
            status: "received" | "processed" | "filtered" | "failed";
            /**
             * Format: uuid
             * @description The first execution that it started.
             */
            executionId: string | null;
            /**
             * Format: uuid
             * @description The one of the latest replay.
             */
            replayExecutionId: string | null;
            /** @description Why it failed, or could not start. */
            error: components["schemas"]["TaskError"] | null;
            /** @description What was taken otherwise than it was sent: numbers beyond 2^53 are kept as texts. */
            warnings: {
                pointer: string;
                code: string;
                message: string;
            }[];
            replays: number;
            /** Format: date-time */
            receivedAt: string;
            /**
             * Format: date-time
             * @description Null: not decided yet.
             */
            processedAt: string | null;
            method: string;
            /** @description Without credentials and signatures. */
            headers: {
                [key: string]: unknown;
            };
            /** @description By name. */
            query: {
                [key: string]: unknown;
            };
            body: unknown;
        };
        /** @description A page. */
        WebhookEventPage: {
            items: components["schemas"]["WebhookEvent"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description A page. */
        WebhookPage: {
            items: components["schemas"]["Webhook"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description What each unfinished task waits for. */
        Why: {
            /** @enum {string} */
            status: "pending" | "running" | "paused" | "completed" | "failed" | "cancelled";
            items: {
                /** @description Null: the execution itself. */
                taskId: string | null;
                mapIndex: number | null;
                status: string;
                waitsFor: components["schemas"]["WaitsFor"];
                /** @description The same in words. */
                message: string;
            }[];
            /** @description False: there are more tasks that are not over. */
            isComplete: boolean;
        };
        /** @description A workflow, without its definition. */
        Workflow: {
            workflowId: string;
            name: string | null;
            category: string;
            /**
             * @description Only `active` ones start.
             * @enum {string}
             */
            status: "draft" | "active" | "archived";
            /** @description The one that starts take. */
            revision: number;
            /** @description Another than `revision` after a rollback. */
            latestRevision: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description A workflow with the definition of its current revision. */
        WorkflowDetail: {
            workflowId: string;
            name: string | null;
            category: string;
            /**
             * @description Only `active` ones start.
             * @enum {string}
             */
            status: "draft" | "active" | "archived";
            /** @description The one that starts take. */
            revision: number;
            /** @description Another than `revision` after a rollback. */
            latestRevision: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            definition: components["schemas"]["Definition"];
        };
        /** @description A page. */
        WorkflowPage: {
            items: components["schemas"]["Workflow"][];
            /** @description `?cursor` of the next page; null: there is none. */
            nextCursor: string | null;
        };
        /** @description What starts it, as the definition says. */
        WorkflowTriggers: {
            schedules: {
                /** Format: uuid */
                id: string;
                name: string;
                /**
                 * Format: date-time
                 * @description Null: none comes.
                 */
                nextRunAt: string | null;
            }[];
            webhooks: {
                /** Format: uuid */
                id: string;
                path: string;
                url: string;
                /** @description Only where it has just been made up; in this answer only. */
                secret?: string;
            }[];
            /** @description Names of event triggers. */
            events: string[];
            /** @description What this left out: it starts nothing more, and comes back as it was. */
            removed: {
                schedules: {
                    /** Format: uuid */
                    id: string;
                    name: string;
                }[];
                webhooks: {
                    /** Format: uuid */
                    id: string;
                    path: string;
                }[];
                events: string[];
            };
        };
    };
    responses: {
        /** @description Malformed: not JSON, or a query or header that does not fit. */
        BadRequest: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description No key, or one that is unknown, expired or revoked; a delivery that does not prove its sender. */
        Unauthorized: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The key lacks the scope. */
        Forbidden: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description No such resource, or not of this tenant. */
        NotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request took too long to arrive. */
        RequestTimeout: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description In the way of what is there: a name that is taken, a key that came with another request. */
        Conflict: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description What it was for has ended. */
        Gone: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Another revision is the current one, which `ETag` tells. */
        PreconditionFailed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                ETag: components["headers"]["ETag"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is too large, or what was asked for is. */
        PayloadTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A part of the path is too long. */
        URITooLong: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body has another media type, or is compressed. */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body does not fit; all problems at once. */
        UnprocessableEntity: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many requests in a second. */
        TooManyRequests: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Retry-After": components["headers"]["Retry-After"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The headers are larger than 16 KB. */
        RequestHeaderFieldsTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Something went wrong in the service; its log tells more under this request's id. */
        InternalServerError: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The database does not answer, or others are changing the same; send it again. */
        ServiceUnavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Retry-After": components["headers"]["Retry-After"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Any other refusal: 405 where the path has other methods, which `Allow` names. */
        Refused: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                Allow: components["headers"]["Allow"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
        "Idempotency-Key": string;
        /** @description Only where this is the current revision, as `ETag` told it, or `*`: where there is one. */
        "If-Match": string;
        /** @description Only where it is another than this one, as `ETag` told it; else 304. */
        "If-None-Match": string;
        /** @description Goes on after this event. */
        "Last-Event-ID": string;
        /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
        "X-Tenant-Id": string;
        /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
        "X-Actor": string;
    };
    requestBodies: never;
    headers: {
        /** @description What it is now, in quotes, for `If-Match` or `If-None-Match`: of a definition the revision. */
        ETag: string;
        /** @description Where what was made is read. */
        Location: string;
        /** @description `true`: this is the first answer to the key again. */
        "Idempotency-Replayed": "true";
        /** @description Seconds after which to send it again. */
        "Retry-After": number;
        /** @description Requests a second that the key may send; on routes that take one. */
        "RateLimit-Limit": number;
        /** @description How many more this second allows. */
        "RateLimit-Remaining": number;
        /** @description Seconds until the next count begins. */
        "RateLimit-Reset": number;
        /** @description What a key looks like. */
        "WWW-Authenticate": string;
        /** @description The methods that the path has. */
        Allow: string;
        /** @description Of this request in the service's log. */
        "X-Request-Id": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getOpenapiJson: {
        parameters: {
            query?: never;
            header?: {
                /** @description Only where it is another than this one, as `ETag` told it; else 304. */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description It is the one that `If-None-Match` names. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getHealthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ok";
                    };
                };
            };
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getReadyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ok";
                    };
                };
            };
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The numbers. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getWorkflow: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Name of the workflow. */
                workflowId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A workflow with the definition of its current revision. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    saveWorkflow: {
        parameters: {
            query?: never;
            header?: {
                /** @description Only where this is the current revision, as `ETag` told it, or `*`: where there is one. */
                "If-Match"?: components["parameters"]["If-Match"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Name of the workflow. */
                workflowId: string;
            };
            cookie?: never;
        };
        /** @description A definition, up to 10 MB. */
        requestBody: {
            content: {
                "application/json": components["schemas"]["Definition"];
                /**
                 * @example workflowId: hello
                 *     nodes:
                 *       - taskId: greet
                 *         taskType: transformation
                 *         config: { output: "Hello {{ input.name }}" }
                 */
                "application/yaml": string;
            };
        };
        responses: {
            /** @description What saving a definition has done. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedWorkflow"];
                };
            };
            /** @description What saving a definition has done. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedWorkflow"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    setWorkflowStatus: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Name of the workflow. */
                workflowId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    status: "draft" | "active" | "archived";
                };
            };
        };
        responses: {
            /** @description A workflow, without its definition. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    validateWorkflow: {
        parameters: {
            query?: {
                /** @description Say in words when each task runs, and what it has by defaults. */
                explain?: boolean;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description A definition, up to 10 MB. */
        requestBody: {
            content: {
                "application/json": components["schemas"]["Definition"];
                /**
                 * @example workflowId: hello
                 *     nodes:
                 *       - taskId: greet
                 *         taskType: transformation
                 *         config: { output: "Hello {{ input.name }}" }
                 */
                "application/yaml": string;
            };
        };
        responses: {
            /** @description What is wrong with a definition. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Validation"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listWorkflows: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /** @description Only those of this status. */
                status?: "draft" | "active" | "archived";
                /** @description Only those of this category. */
                category?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listRevisions: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Name of the workflow. */
                workflowId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevisionPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getRevision: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Name of the workflow. */
                workflowId: string;
                /** @description Number of the revision. */
                revision: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A revision with its definition. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevisionDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    rollbackWorkflow: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Name of the workflow. */
                workflowId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    revision: number;
                };
            };
        };
        responses: {
            /** @description The workflow, with the triggers that count now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolledBackWorkflow"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listVariables: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VariablePage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    createVariable: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @example region */
                    name: string;
                    /**
                     * @description Any JSON, up to 256 KB.
                     * @example eu-west-1
                     * @example 42
                     */
                    value: unknown;
                    /** @description For people. */
                    description?: string | null;
                };
            };
        };
        responses: {
            /** @description A variable. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Variable"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getVariable: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /**
                 * @description Its name.
                 * @example region
                 */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A variable. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Variable"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    putVariable: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /**
                 * @description Its name.
                 * @example region
                 */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Any JSON, up to 256 KB.
                     * @example eu-west-1
                     * @example 42
                     */
                    value: unknown;
                    /** @description For people. */
                    description?: string | null;
                };
            };
        };
        responses: {
            /** @description A variable. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Variable"];
                };
            };
            /** @description A variable. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Variable"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    deleteVariable: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /**
                 * @description Its name.
                 * @example region
                 */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /**
                 * @description Only those of this type.
                 * @example order.created
                 */
                type?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    emitEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @example order.created */
                    type: string;
                    /** @description Any JSON, up to 1 MB. Default {}. */
                    payload?: unknown;
                };
            };
        };
        responses: {
            /** @description An event, and what became of it. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An event, and what became of it. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    deliver: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `<tenant name>/<path>` */
                path: string;
            };
            cookie?: never;
        };
        /** @description Whatever the sender sends, up to 1 MB: JSON, a form or text. */
        requestBody?: {
            content: {
                "application/json": unknown;
                "*/*": unknown;
            };
        };
        responses: {
            /** @description The answer to Slack's question whether the address is right. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        challenge: string;
                    };
                };
            };
            /** @description The event is stored, and what it led to. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipt"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listWebhooks: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /** @description Only those of this workflow. */
                workflowId?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    createWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    workflowId: string;
                    /**
                     * @description Below /hooks/ and the tenant's name, which may be written before it.
                     * @example orders
                     */
                    path: string;
                    /**
                     * @description How the sender shows the secret: in X-Webhook-Secret, or by Basic (`user:password`) or Bearer authorization. Absent: `none` with a verifier, else `secret`.
                     * @enum {string}
                     */
                    authType?: "none" | "secret" | "basic" | "bearer";
                    /** @description Whose signatures are checked; with an authType besides, both must pass. */
                    verifier?: ("standard_webhooks" | "github" | "stripe" | "slack" | "hmac" | "shopify" | "zoom" | "zendesk" | "twilio" | "discord" | "meta" | "sns") | null;
                    /** @description Of the verifier `hmac`, names of headers, the address that is signed, and the topic of `sns`. */
                    options?: {
                        signatureHeader?: string;
                        timestampHeader?: string;
                        deliveryIdHeader?: string;
                        secretHeader?: string;
                        /** @enum {string} */
                        algorithm?: "sha256" | "sha512" | "sha1" | "ed25519";
                        /** @enum {string} */
                        encoding?: "hex" | "base64";
                        prefix?: string;
                        /**
                         * @description What is signed: {id}, {timestamp}, {body}, {url} and {method}, the rest as it stands.
                         * @example {id}.{timestamp}.{body}
                         * @example v0:{timestamp}:{body}
                         */
                        template?: string;
                        /** @enum {string} */
                        timestampFormat?: "unix" | "unix_ms" | "iso";
                        /**
                         * @description How the key stands in the secret.
                         * @enum {string}
                         */
                        keyEncoding?: "text" | "base64" | "hex";
                        /** @description The address as the sender has it, where that is signed; absent: the public one. */
                        url?: string;
                        /** @description Of sns: the topic whose messages count. */
                        topicArn?: string;
                    };
                    /** @description Requests that are deliveries; absent: POST. One by HEAD is answered, and nothing else. */
                    methods?: ("POST" | "PUT" | "GET" | "HEAD")[] | null;
                    /** @description How questions of the sender whether the address is right are answered. */
                    handshakes?: {
                        /** @enum {string} */
                        type: "hub_challenge" | "validation_token" | "zoom" | "asana" | "sns";
                        verifyToken?: string;
                        topicArn?: string;
                        host?: string;
                    }[] | null;
                    /**
                     * @description What the sender is answered: with `when: completed` (absent: that) the end of the execution, within so many seconds (25), else 202; with `received` at once.
                     * @example {
                     *       "when": "completed",
                     *       "withinSeconds": 25,
                     *       "body": "{{ execution.output }}"
                     *     }
                     */
                    respond?: {
                        /** @enum {string} */
                        when?: "received" | "completed";
                        withinSeconds?: number;
                        status?: number | string;
                        headers?: {
                            [key: string]: unknown;
                        };
                        body?: unknown;
                    } | null;
                    /** @description Makes the input out of `body`, `headers`, `query`, `method`. Absent: the body. */
                    inputMapping?: unknown;
                    filters?: {
                        /**
                         * @example body.action
                         * @example headers.X-GitHub-Event
                         */
                        fieldPath: string;
                        /** @description equals, not_equals, contains, regex, gt, in, exists, … */
                        operator: string;
                        value?: unknown;
                        /** @description Filters of one group are alternatives; every group must hold. */
                        logicGroup?: string | number | null;
                    }[];
                    /** @description Higher first; 5 where absent. */
                    priority?: number;
                    /** @enum {string} */
                    status?: "active" | "paused";
                    /** @description The secret, or `{{ secrets.NAME }}` for DAGWRIGHT_SECRET_NAME. */
                    secret?: string;
                };
            };
        };
        responses: {
            /** @description A webhook that has just been made. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeWebhook"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A webhook. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    replaceWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    workflowId: string;
                    /**
                     * @description Below /hooks/ and the tenant's name, which may be written before it.
                     * @example orders
                     */
                    path: string;
                    /**
                     * @description How the sender shows the secret: in X-Webhook-Secret, or by Basic (`user:password`) or Bearer authorization. Absent: `none` with a verifier, else `secret`.
                     * @enum {string}
                     */
                    authType?: "none" | "secret" | "basic" | "bearer";
                    /** @description Whose signatures are checked; with an authType besides, both must pass. */
                    verifier?: ("standard_webhooks" | "github" | "stripe" | "slack" | "hmac" | "shopify" | "zoom" | "zendesk" | "twilio" | "discord" | "meta" | "sns") | null;
                    /** @description Of the verifier `hmac`, names of headers, the address that is signed, and the topic of `sns`. */
                    options?: {
                        signatureHeader?: string;
                        timestampHeader?: string;
                        deliveryIdHeader?: string;
                        secretHeader?: string;
                        /** @enum {string} */
                        algorithm?: "sha256" | "sha512" | "sha1" | "ed25519";
                        /** @enum {string} */
                        encoding?: "hex" | "base64";
                        prefix?: string;
                        /**
                         * @description What is signed: {id}, {timestamp}, {body}, {url} and {method}, the rest as it stands.
                         * @example {id}.{timestamp}.{body}
                         * @example v0:{timestamp}:{body}
                         */
                        template?: string;
                        /** @enum {string} */
                        timestampFormat?: "unix" | "unix_ms" | "iso";
                        /**
                         * @description How the key stands in the secret.
                         * @enum {string}
                         */
                        keyEncoding?: "text" | "base64" | "hex";
                        /** @description The address as the sender has it, where that is signed; absent: the public one. */
                        url?: string;
                        /** @description Of sns: the topic whose messages count. */
                        topicArn?: string;
                    };
                    /** @description Requests that are deliveries; absent: POST. One by HEAD is answered, and nothing else. */
                    methods?: ("POST" | "PUT" | "GET" | "HEAD")[] | null;
                    /** @description How questions of the sender whether the address is right are answered. */
                    handshakes?: {
                        /** @enum {string} */
                        type: "hub_challenge" | "validation_token" | "zoom" | "asana" | "sns";
                        verifyToken?: string;
                        topicArn?: string;
                        host?: string;
                    }[] | null;
                    /**
                     * @description What the sender is answered: with `when: completed` (absent: that) the end of the execution, within so many seconds (25), else 202; with `received` at once.
                     * @example {
                     *       "when": "completed",
                     *       "withinSeconds": 25,
                     *       "body": "{{ execution.output }}"
                     *     }
                     */
                    respond?: {
                        /** @enum {string} */
                        when?: "received" | "completed";
                        withinSeconds?: number;
                        status?: number | string;
                        headers?: {
                            [key: string]: unknown;
                        };
                        body?: unknown;
                    } | null;
                    /** @description Makes the input out of `body`, `headers`, `query`, `method`. Absent: the body. */
                    inputMapping?: unknown;
                    filters?: {
                        /**
                         * @example body.action
                         * @example headers.X-GitHub-Event
                         */
                        fieldPath: string;
                        /** @description equals, not_equals, contains, regex, gt, in, exists, … */
                        operator: string;
                        value?: unknown;
                        /** @description Filters of one group are alternatives; every group must hold. */
                        logicGroup?: string | number | null;
                    }[];
                    /** @description Higher first; 5 where absent. */
                    priority?: number;
                    /** @enum {string} */
                    status?: "active" | "paused";
                    /** @description The secret, or `{{ secrets.NAME }}` for DAGWRIGHT_SECRET_NAME. */
                    secret?: string;
                    previousSecretExpiresInSeconds?: number;
                };
            };
        };
        responses: {
            /** @description A webhook. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    deleteWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    changeWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    workflowId?: string;
                    /**
                     * @description Below /hooks/ and the tenant's name, which may be written before it.
                     * @example orders
                     */
                    path?: string;
                    /**
                     * @description How the sender shows the secret: in X-Webhook-Secret, or by Basic (`user:password`) or Bearer authorization. Absent: `none` with a verifier, else `secret`.
                     * @enum {string}
                     */
                    authType?: "none" | "secret" | "basic" | "bearer";
                    /** @description Whose signatures are checked; with an authType besides, both must pass. */
                    verifier?: ("standard_webhooks" | "github" | "stripe" | "slack" | "hmac" | "shopify" | "zoom" | "zendesk" | "twilio" | "discord" | "meta" | "sns") | null;
                    /** @description Of the verifier `hmac`, names of headers, the address that is signed, and the topic of `sns`. */
                    options?: {
                        signatureHeader?: string;
                        timestampHeader?: string;
                        deliveryIdHeader?: string;
                        secretHeader?: string;
                        /** @enum {string} */
                        algorithm?: "sha256" | "sha512" | "sha1" | "ed25519";
                        /** @enum {string} */
                        encoding?: "hex" | "base64";
                        prefix?: string;
                        /**
                         * @description What is signed: {id}, {timestamp}, {body}, {url} and {method}, the rest as it stands.
                         * @example {id}.{timestamp}.{body}
                         * @example v0:{timestamp}:{body}
                         */
                        template?: string;
                        /** @enum {string} */
                        timestampFormat?: "unix" | "unix_ms" | "iso";
                        /**
                         * @description How the key stands in the secret.
                         * @enum {string}
                         */
                        keyEncoding?: "text" | "base64" | "hex";
                        /** @description The address as the sender has it, where that is signed; absent: the public one. */
                        url?: string;
                        /** @description Of sns: the topic whose messages count. */
                        topicArn?: string;
                    };
                    /** @description Requests that are deliveries; absent: POST. One by HEAD is answered, and nothing else. */
                    methods?: ("POST" | "PUT" | "GET" | "HEAD")[] | null;
                    /** @description How questions of the sender whether the address is right are answered. */
                    handshakes?: {
                        /** @enum {string} */
                        type: "hub_challenge" | "validation_token" | "zoom" | "asana" | "sns";
                        verifyToken?: string;
                        topicArn?: string;
                        host?: string;
                    }[] | null;
                    /**
                     * @description What the sender is answered: with `when: completed` (absent: that) the end of the execution, within so many seconds (25), else 202; with `received` at once.
                     * @example {
                     *       "when": "completed",
                     *       "withinSeconds": 25,
                     *       "body": "{{ execution.output }}"
                     *     }
                     */
                    respond?: {
                        /** @enum {string} */
                        when?: "received" | "completed";
                        withinSeconds?: number;
                        status?: number | string;
                        headers?: {
                            [key: string]: unknown;
                        };
                        body?: unknown;
                    } | null;
                    /** @description Makes the input out of `body`, `headers`, `query`, `method`. Absent: the body. */
                    inputMapping?: unknown;
                    filters?: {
                        /**
                         * @example body.action
                         * @example headers.X-GitHub-Event
                         */
                        fieldPath: string;
                        /** @description equals, not_equals, contains, regex, gt, in, exists, … */
                        operator: string;
                        value?: unknown;
                        /** @description Filters of one group are alternatives; every group must hold. */
                        logicGroup?: string | number | null;
                    }[];
                    /** @description Higher first; 5 where absent. */
                    priority?: number;
                    /** @enum {string} */
                    status?: "active" | "paused";
                    /** @description The secret, or `{{ secrets.NAME }}` for DAGWRIGHT_SECRET_NAME. */
                    secret?: string;
                    previousSecretExpiresInSeconds?: number;
                };
            };
        };
        responses: {
            /** @description A webhook. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listWebhookEvents: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /** @description Only those of this status. */
                status?: "received" | "processed" | "filtered" | "failed";
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookEventPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getWebhookEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
                /** @description Id of the event. */
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A delivery with what it brought. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookEventDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    replayWebhookEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
                /** @description Id of the event. */
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event is stored, and what it led to. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipt"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listSchedules: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /** @description Only those of this workflow. */
                workflowId?: string;
                /** @description Only those of this status. */
                status?: "active" | "paused";
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SchedulePage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    createSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    workflowId: string;
                    /**
                     * @description Unique among the schedules of the workflow.
                     * @example daily
                     */
                    name: string;
                    /**
                     * @description Five fields: minute, hour, day of month, month, day of week; numbers, names and `* , - /`. With day of month and day of week both given, a day of either fires.
                     * @example 0 9 * * 1-5
                     */
                    cronExpression: string;
                    /**
                     * @description IANA name; absent: UTC. A fixed time in a gap of daylight saving fires right after the gap, one that comes twice the first time.
                     * @example Europe/Paris
                     */
                    timezone?: string;
                    /** @description Input of each execution, taken as it is; absent: {}. The nominal time is `trigger.scheduledAt`. */
                    input?: unknown;
                    /** @description Higher first; absent: 5. */
                    priority?: number;
                    /**
                     * @description At a tick while an execution of the one before is open. `skip` (absent): the tick is skipped; `buffer_one`: one waits for its end; `allow_all`: both run; `cancel_other`: the open one is cancelled.
                     * @enum {unknown}
                     */
                    overlapPolicy?: "skip" | "buffer_one" | "allow_all" | "cancel_other";
                    /**
                     * @description Ticks that nobody fired within 10 s. `last` (absent): the latest fires, the others are missed; `none`: all are missed; `all`: each of the last `catchupWindowSeconds` fires, one after the other unless `allow_all`.
                     * @enum {unknown}
                     */
                    catchupPolicy?: "none" | "last" | "all";
                    /** @description How far back `all` looks; absent: a day. */
                    catchupWindowSeconds?: number;
                    /** @description Each tick is due up to so much later, always the same for a nominal time, and before the next one; absent: 0. */
                    jitterSeconds?: number;
                    /**
                     * @description No tick before.
                     * @example 2027-01-01T00:00:00Z
                     */
                    startAt?: string | null;
                    /**
                     * @description No tick from then on.
                     * @example 2027-01-01T00:00:00Z
                     */
                    endAt?: string | null;
                    /** @description An execution of a tick that fails pauses the schedule; absent: false. */
                    pauseOnFailure?: boolean;
                };
            };
        };
        responses: {
            /** @description A schedule. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A schedule. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    replaceSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    workflowId?: string;
                    /**
                     * @description Unique among the schedules of the workflow.
                     * @example daily
                     */
                    name: string;
                    /**
                     * @description Five fields: minute, hour, day of month, month, day of week; numbers, names and `* , - /`. With day of month and day of week both given, a day of either fires.
                     * @example 0 9 * * 1-5
                     */
                    cronExpression: string;
                    /**
                     * @description IANA name; absent: UTC. A fixed time in a gap of daylight saving fires right after the gap, one that comes twice the first time.
                     * @example Europe/Paris
                     */
                    timezone?: string;
                    /** @description Input of each execution, taken as it is; absent: {}. The nominal time is `trigger.scheduledAt`. */
                    input?: unknown;
                    /** @description Higher first; absent: 5. */
                    priority?: number;
                    /**
                     * @description At a tick while an execution of the one before is open. `skip` (absent): the tick is skipped; `buffer_one`: one waits for its end; `allow_all`: both run; `cancel_other`: the open one is cancelled.
                     * @enum {unknown}
                     */
                    overlapPolicy?: "skip" | "buffer_one" | "allow_all" | "cancel_other";
                    /**
                     * @description Ticks that nobody fired within 10 s. `last` (absent): the latest fires, the others are missed; `none`: all are missed; `all`: each of the last `catchupWindowSeconds` fires, one after the other unless `allow_all`.
                     * @enum {unknown}
                     */
                    catchupPolicy?: "none" | "last" | "all";
                    /** @description How far back `all` looks; absent: a day. */
                    catchupWindowSeconds?: number;
                    /** @description Each tick is due up to so much later, always the same for a nominal time, and before the next one; absent: 0. */
                    jitterSeconds?: number;
                    /**
                     * @description No tick before.
                     * @example 2027-01-01T00:00:00Z
                     */
                    startAt?: string | null;
                    /**
                     * @description No tick from then on.
                     * @example 2027-01-01T00:00:00Z
                     */
                    endAt?: string | null;
                    /** @description An execution of a tick that fails pauses the schedule; absent: false. */
                    pauseOnFailure?: boolean;
                };
            };
        };
        responses: {
            /** @description A schedule. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    deleteSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    changeSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Unique among the schedules of the workflow.
                     * @example daily
                     */
                    name?: string;
                    /**
                     * @description Five fields: minute, hour, day of month, month, day of week; numbers, names and `* , - /`. With day of month and day of week both given, a day of either fires.
                     * @example 0 9 * * 1-5
                     */
                    cronExpression?: string;
                    /**
                     * @description IANA name; absent: UTC. A fixed time in a gap of daylight saving fires right after the gap, one that comes twice the first time.
                     * @example Europe/Paris
                     */
                    timezone?: string;
                    /** @description Input of each execution, taken as it is; absent: {}. The nominal time is `trigger.scheduledAt`. */
                    input?: unknown;
                    /** @description Higher first; absent: 5. */
                    priority?: number;
                    /**
                     * @description At a tick while an execution of the one before is open. `skip` (absent): the tick is skipped; `buffer_one`: one waits for its end; `allow_all`: both run; `cancel_other`: the open one is cancelled.
                     * @enum {unknown}
                     */
                    overlapPolicy?: "skip" | "buffer_one" | "allow_all" | "cancel_other";
                    /**
                     * @description Ticks that nobody fired within 10 s. `last` (absent): the latest fires, the others are missed; `none`: all are missed; `all`: each of the last `catchupWindowSeconds` fires, one after the other unless `allow_all`.
                     * @enum {unknown}
                     */
                    catchupPolicy?: "none" | "last" | "all";
                    /** @description How far back `all` looks; absent: a day. */
                    catchupWindowSeconds?: number;
                    /** @description Each tick is due up to so much later, always the same for a nominal time, and before the next one; absent: 0. */
                    jitterSeconds?: number;
                    /**
                     * @description No tick before.
                     * @example 2027-01-01T00:00:00Z
                     */
                    startAt?: string | null;
                    /**
                     * @description No tick from then on.
                     * @example 2027-01-01T00:00:00Z
                     */
                    endAt?: string | null;
                    /** @description An execution of a tick that fails pauses the schedule; absent: false. */
                    pauseOnFailure?: boolean;
                };
            };
        };
        responses: {
            /** @description A schedule. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    pauseSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A schedule. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    resumeSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A schedule. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    previewSchedule: {
        parameters: {
            query?: {
                /** @description How many. */
                count?: number;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The next nominal times. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["PreviewedTick"][];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    previewExpression: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Five fields: minute, hour, day of month, month, day of week; numbers, names and `* , - /`. With day of month and day of week both given, a day of either fires.
                     * @example 0 9 * * 1-5
                     */
                    cronExpression: string;
                    /**
                     * @description IANA name; absent: UTC. A fixed time in a gap of daylight saving fires right after the gap, one that comes twice the first time.
                     * @example Europe/Paris
                     */
                    timezone?: string;
                    /** @description Each tick is due up to so much later, always the same for a nominal time, and before the next one; absent: 0. */
                    jitterSeconds?: number;
                    /**
                     * @description No tick before.
                     * @example 2027-01-01T00:00:00Z
                     */
                    startAt?: string | null;
                    /**
                     * @description No tick from then on.
                     * @example 2027-01-01T00:00:00Z
                     */
                    endAt?: string | null;
                    count?: number;
                };
            };
        };
        responses: {
            /** @description The next nominal times. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["PreviewedTick"][];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listScheduleTicks: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /** @description Only those of this status. */
                status?: "buffered" | "fired" | "skipped_overlap" | "missed" | "backfilled";
                /** @description Nominal times from here on. */
                from?: string;
                /** @description Nominal times before. */
                to?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TickPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    runSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An execution and where it stands. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionStatus"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    backfillSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Inclusive.
                     * @example 2027-01-01T00:00:00Z
                     */
                    from: string;
                    /**
                     * @description Exclusive; not in the future.
                     * @example 2027-01-02T00:00:00Z
                     */
                    to: string;
                };
            };
        };
        responses: {
            /** @description What was started. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backfill"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listTenants: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
            };
            header?: {
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    createTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Begins the paths of its webhooks; does not change.
                     * @example acme
                     */
                    name: string;
                    /**
                     * @description For people.
                     * @example Acme Ltd
                     */
                    displayName?: string | null;
                    /**
                     * @description Definitions with a higher `minTier` do not start for it.
                     * @example 2
                     */
                    tier?: number;
                    /** @description Kept as they are; the service reads none of them. */
                    settings?: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            /** @description A tenant. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A tenant. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    updateTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description For people.
                     * @example Acme Ltd
                     */
                    displayName?: string | null;
                    /**
                     * @description Definitions with a higher `minTier` do not start for it.
                     * @example 2
                     */
                    tier?: number;
                    /**
                     * @description `suspended`: nothing of it starts and its keys are refused, within 5 s; what runs goes on. Executions whose runAt comes meanwhile start when it is active again.
                     * @enum {unknown}
                     */
                    status?: "active" | "suspended";
                    /**
                     * @description Turns of its tasks for one of a tenant of weight 1, where both wait.
                     * @example 3
                     */
                    weight?: number;
                    /** @description What is not named stays as it is; null lifts a limit. */
                    limits?: {
                        /** @description Tasks that run at once, on all workers; what is more waits. */
                        maxRunningTasks?: number | null;
                        /** @description Executions that start within any minute; more are refused with 429 `too_many_starts`. */
                        maxStartsPerMinute?: number | null;
                        /** @description Executions that are recorded and not opened; more are refused with 429 `too_many_waiting`. */
                        maxWaitingExecutions?: number | null;
                    };
                    /** @description Kept as they are; the service reads none of them. */
                    settings?: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            /** @description A tenant. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listApiKeys: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description What it is for.
                     * @example ci
                     */
                    name: string;
                    /**
                     * @description For whom it acts; absent: for itself, `key:<id>`. Another than your own takes the scope `actors:assert`.
                     * @example user:alice
                     */
                    subject?: string | null;
                    /**
                     * @description At least one of `roles` and `scopes` is not empty. No role brings the scope `actors:assert`.
                     * @example [
                     *       "editor"
                     *     ]
                     */
                    roles?: ("admin" | "editor" | "viewer" | "reviewer")[];
                    /**
                     * @description `<resource>:read` and `<resource>:write`, besides what the roles grant.
                     * @example [
                     *       "executions:read"
                     *     ]
                     */
                    scopes?: ("workflows:read" | "workflows:write" | "executions:read" | "executions:write" | "reviews:read" | "reviews:write" | "schedules:read" | "schedules:write" | "webhooks:read" | "webhooks:write" | "events:read" | "events:write" | "variables:read" | "variables:write" | "credentials:read" | "credentials:write" | "service-limits:read" | "service-limits:write" | "pricing:read" | "pricing:write" | "stats:read" | "stats:write" | "tenants:read" | "tenants:write" | "api-keys:read" | "api-keys:write" | "audit:read" | "audit:write" | "actors:assert")[];
                    /**
                     * @description From then on it is refused; absent: when your own key ends, if it does. 403 `scope_exceeded` where that ends earlier.
                     * @example 2030-01-01T00:00:00Z
                     */
                    expiresAt?: string | null;
                };
            };
        };
        responses: {
            /** @description A key that has just been made. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeApiKey"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A key, without what is secret of it. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /** @description Whose changes: `user:alice`, `key:<id>`, `cli`, `system`. */
                actor?: string;
                /** @description Such as `schedules.update`. */
                action?: string;
                /** @description Such as `schedules`. */
                resourceType?: string;
                /** @description Its id, or its name where that is its id. */
                resourceId?: string;
                /** @description This instant and later. */
                from?: string;
                /** @description Before this instant. */
                to?: string;
                /** @description Of what belongs to no tenant: prices and limits of services. For the operator only. */
                installation?: boolean;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditRecordPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    startExecution: {
        parameters: {
            query?: {
                /**
                 * @description Seconds.
                 * @example 30
                 */
                wait?: number;
            };
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Name of the workflow. */
                workflowId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description The execution's input, at most 1 MB. `defaultParameters` fill it before it is checked against `inputSchema`. Default `{}`. */
                    input?: unknown;
                    /** @description Higher goes first; 5 where absent. */
                    priority?: number;
                    /**
                     * @description Not opened before this instant; one that is past means at once.
                     * @example 2030-01-31T09:00:00Z
                     */
                    runAt?: string;
                    /** @description Absent: the one that starts take now. */
                    revision?: number;
                    /**
                     * @description Yours to find it by (`?metadata=`); at most 16 KB.
                     * @example {
                     *       "order": "A-17"
                     *     }
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /** @description Not supported yet: refused. */
                    budget?: unknown;
                };
            };
        };
        responses: {
            /** @description Created, with what it is. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionStatus"] | components["schemas"]["Run"];
                };
            };
            /** @description An execution and where it stands. */
            202: {
                headers: {
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionStatus"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    followExecution: {
        parameters: {
            query?: {
                /** @description For clients that cannot set headers. */
                lastEventId?: string;
            };
            header?: {
                /** @description Goes on after this event. */
                "Last-Event-ID"?: components["parameters"]["Last-Event-ID"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Last-Event-ID was that of `end`. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    cancelExecution: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Becomes the message of its error. */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description An execution and where it stands. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionStatus"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    pauseExecution: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An execution and where it stands. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionStatus"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    resumeExecution: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An execution and where it stands. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionStatus"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listExecutions: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /** @description In this status now. */
                status?: "pending" | "running" | "paused" | "completed" | "failed" | "cancelled";
                /** @description Only those of this workflow. */
                workflowId?: string;
                /** @description Started this way. */
                triggerType?: "manual" | "api" | "schedule" | "webhook" | "sql" | "sub_workflow" | "event";
                /** @description ISO 8601. Created at this instant or later. */
                from?: string;
                /** @description ISO 8601. Created before this instant. */
                to?: string;
                /**
                 * @description A JSON object; the metadata contain all that it does.
                 * @example {"order":"A-17"}
                 */
                metadata?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getExecution: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One execution with what was asked for. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getExecutionPart: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
                /** @description Which part of it. */
                part: "error" | "metadata" | "input" | "output";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The part, whole. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    } | unknown[] | (string | number | boolean | null);
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listTasks: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listLogLines: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /** @description This level and above. */
                level?: "debug" | "info" | "warn" | "error";
                /** @description Only those of this task. */
                taskId?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogLinePage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    explainExecution: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What each unfinished task waits for. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Why"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    signalExecution: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
                /** @description Name of the signal: a letter, then letters, digits and _ . : -, at most 200 in all. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Any JSON, up to 990000 bytes. Default null. */
                    payload?: unknown;
                    /** @description The same key of the same sender, for the same execution, sends nothing again. */
                    dedupeKey?: string;
                    /** @description To all that wait for it now, not to the oldest that takes it alone. Default: false. */
                    broadcast?: boolean;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SentSignal"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    answerCallback: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description What the callback URL ends with. */
                token: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Becomes the task's output; at most 1 MB. */
                    output?: unknown;
                    error?: {
                        /**
                         * @description Of the task's error; `retry` and `on: failure` edges see it.
                         * @example out_of_stock
                         */
                        code: string;
                        message: string;
                        details?: unknown;
                    };
                    /**
                     * @description The answer is still coming: postpones `heartbeatSeconds`.
                     * @enum {boolean}
                     */
                    heartbeat?: true;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "accepted" | "already_completed";
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            410: components["responses"]["Gone"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listReviews: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /** @description Open ones that are for the caller or claimed by him; decided ones that he voted in. */
                mine?: boolean;
                /** @description Those with this status. */
                status?: "open" | "approved" | "rejected" | "submitted" | "expired" | "cancelled";
                /** @description Due at this instant or before. */
                due?: string;
                /** @description Those of this workflow. */
                workflowId?: string;
                /** @description Those of this execution. */
                executionId?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReviewPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A review with what is shown, and what people said. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReviewDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            414: components["responses"]["URITooLong"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    updateReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    priority?: number;
                    /** @description Null: never. */
                    dueAt?: string | null;
                };
            };
        };
        responses: {
            /** @description A review with what is shown, and what people said. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReviewDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    decideReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Of an input `submitted` or `rejected`, else `approved` or `rejected`.
                     * @enum {string}
                     */
                    decision: "approved" | "rejected" | "submitted";
                    comment?: string;
                    /** @description What is filled in or changed; `formSchema` judges it. At most 256 KB. */
                    data?: unknown;
                    /** @description Of the review that was read: another is refused with 409. */
                    fence?: number;
                    /** @description Decides at once, whoever's it is. For the operator, or where the service runs without keys; the audit trail says so. */
                    override?: boolean;
                };
            };
        };
        responses: {
            /** @description A review with what is shown, and what people said. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReviewDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    assignReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    assignees: components["schemas"]["Assignee"][];
                };
            };
        };
        responses: {
            /** @description A review with what is shown, and what people said. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReviewDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    commentOnReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    comment: string;
                };
            };
        };
        responses: {
            /** @description A review with what is shown, and what people said. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReviewDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    claimReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A review with what is shown, and what people said. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReviewDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    releaseReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A review with what is shown, and what people said. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReviewDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    makeReviewLink: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    assignee: components["schemas"]["Assignee"];
                    /** @description Default: 604800. */
                    expiresInSeconds?: number;
                };
            };
        };
        responses: {
            /** @description A link, with what is secret of it. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReviewLink"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    revokeReviewLinks: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        revoked: number;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    getStats: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A tenant's executions in numbers. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Stats"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listServiceLimits: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutsideServicePage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    setServiceLimit: {
        parameters: {
            query?: never;
            header?: {
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description A provider, a host, or the `serviceId` of definitions. */
                serviceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Calls at once, by all workers together; null lifts it.
                     * @example 8
                     */
                    maxConcurrency?: number | null;
                    /**
                     * @description Calls that may start within any `rateIntervalSeconds`; null lifts it.
                     * @example 60
                     */
                    rateLimit?: number | null;
                    /**
                     * @description Goes with `rateLimit`.
                     * @example 60
                     */
                    rateIntervalSeconds?: number | null;
                };
            };
        };
        responses: {
            /** @description Limits of an outside service. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceLimit"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    removeServiceLimit: {
        parameters: {
            query?: never;
            header?: {
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description A provider, a host, or the `serviceId` of definitions. */
                serviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    resetService: {
        parameters: {
            query?: never;
            header?: {
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /** @description A service, of all tenants; or `<service>@<tenant>`, as the list names a breaker. */
                serviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A service whose circuit breaker is closed. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutsideServiceReset"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    listPrices: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description `nextCursor` of the page before; absent: the newest. */
                cursor?: string;
                /**
                 * @description Only those of this provider.
                 * @example openai
                 */
                provider?: string;
                /**
                 * @description `*`: all models of the provider.
                 * @example gpt-4o
                 */
                model?: string;
            };
            header?: {
                /** @description Names the tenant for the operator's key, which must; ignored with a key of a tenant. */
                "X-Tenant-Id"?: components["parameters"]["X-Tenant-Id"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PricePage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    setPrice: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sending it again safe: within 24 hours the same key and body give the first answer again, another body 409. */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @example openai */
                    provider: string;
                    /**
                     * @description `*`: all models of the provider.
                     * @example gpt-4o
                     */
                    model: string;
                    /**
                     * @description Input tokens, in US dollars per million tokens, as a decimal string.
                     * @example 2.50
                     */
                    inputUsdPerMillion: string;
                    /**
                     * @description Output tokens, in US dollars per million tokens, as a decimal string.
                     * @example 2.50
                     */
                    outputUsdPerMillion: string;
                    /**
                     * @description Tokens read from a cache; else as input, in US dollars per million tokens, as a decimal string.
                     * @example 2.50
                     */
                    cachedInputUsdPerMillion?: string;
                    /**
                     * @description Tokens written to a cache; else as input, in US dollars per million tokens, as a decimal string.
                     * @example 2.50
                     */
                    cacheWriteUsdPerMillion?: string;
                    /**
                     * Format: date-time
                     * @description Absent: always for the first price of a model, from now on for a later one.
                     */
                    effectiveFrom?: string;
                };
            };
        };
        responses: {
            /** @description What a model costs. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Price"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
    removePrice: {
        parameters: {
            query?: never;
            header?: {
                /** @description In whose name the caller acts. Takes the scope `actors:assert`. */
                "X-Actor"?: components["parameters"]["X-Actor"];
            };
            path: {
                /**
                 * @description Name of the provider.
                 * @example openai
                 */
                provider: string;
                /**
                 * @description `*`: all models of the provider.
                 * @example gpt-4o
                 */
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["URITooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Refused"];
        };
    };
}
