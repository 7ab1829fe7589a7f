-- What the tenant role could change by nobody's wish: a saved revision, and of a key more than when it was revoked.
revoke update on dagwright.workflow_versions from dagwright_tenant;
revoke update on dagwright.api_keys from dagwright_tenant;
grant update (revoked_at) on dagwright.api_keys to dagwright_tenant;
