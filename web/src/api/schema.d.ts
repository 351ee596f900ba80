// Generated from the OpenAPI document by scripts/schema; not to be edited.

export interface paths {
    "/api/activity_logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The activity log, newest first. */
        get: operations["list_activity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/allowed_keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Client keys, with what they have used. */
        get: operations["list_clients"];
        put?: never;
        /** Make a client key. The answer holds its secret, once. */
        post: operations["create_client"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/allowed_keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One client key. */
        get: operations["get_client"];
        /** Replace everything about a client key but its secret: what is left out returns to its default. */
        put: operations["update_client"];
        post?: never;
        /** Delete a client key: its callers are refused from now on. */
        delete: operations["delete_client"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/bans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Bans that are in force. */
        get: operations["list_bans"];
        put?: never;
        /** Ban an address. An existing ban of it is replaced. */
        post: operations["create_ban"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/bans/{ip}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Lift a ban. What was counted of the address is forgotten with it. */
        delete: operations["delete_ban"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/egress_proxies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The ways on which requests leave: `direct`, and every outbound proxy that is used for all keys. */
        get: operations["list_egress"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/egress_proxies/{id}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put a proxy back into use now, whatever it failed for. */
        post: operations["reset_egress"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/egress_proxies/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check a proxy now: whether it leads to a provider. It is used or set aside as that says. */
        post: operations["test_egress"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/egress_sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The lists that proxies are found in. */
        get: operations["list_sources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/egress_sources/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Read all lists now. */
        post: operations["refresh_sources"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Watch what happens, as server-sent events. `stats`: figures of this moment, every second; for members those of what
         *     is theirs, counted since they have been watching. `request`: one that has
         *     ended, as the request log shows it. `key`: one that stands differently now, as the list of keys shows it. `ban`: one
         *     that was made, as the list of bans shows it, and `unban`: the address whose ban was lifted; for administrators, and of
         *     this instance. `lost`: how many events this watcher was too slow for.
         */
        get: operations["watch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs since the start, newest first. */
        get: operations["list_jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far a job is. */
        get: operations["get_job"];
        put?: never;
        post?: never;
        /** Cancel a job. What it has done stays done. */
        delete: operations["cancel_job"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/key_checks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The last check of each key with each model. */
        get: operations["list_checks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/key_files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Files of the folders that `keys_dir` names, as they were read last. */
        get: operations["list_key_files"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Keys, as they stand now. */
        get: operations["list_keys"];
        put?: never;
        /** Add a key. */
        post: operations["create_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/bulk_add": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add many keys. */
        post: operations["bulk_add"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/bulk_delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Delete keys. */
        post: operations["bulk_delete"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/bulk_reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Forget what speaks against keys. */
        post: operations["bulk_reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/bulk_test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask the provider whether keys work. It costs no quota, and always is a job; all of them together make
         *     `health_checks.concurrency` checks at a time.
         */
        post: operations["bulk_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/bulk_update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change keys. */
        post: operations["bulk_update"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Export keys with their secrets. It is written into the activity log. */
        get: operations["export_keys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/standings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Keys as `/api/keys` lists them, each with what is known of its models: what the grid of keys and models shows. */
        get: operations["list_standings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One key, with its secret and with what is known of each model. Each look is written into the activity log. */
        get: operations["get_key"];
        put?: never;
        post?: never;
        /** Delete a key. */
        delete: operations["delete_key"];
        options?: never;
        head?: never;
        /** Change a key. */
        patch: operations["update_key"];
        trace?: never;
    };
    "/api/keys/{id}/checks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The last check of one key with each model. */
        get: operations["list_checks_of_key"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{id}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Forget everything that speaks against a key: failures, cooling, retirement, used-up quotas of its project. */
        post: operations["reset_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{id}/standing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One key without its secret, with what is known of each model. Nothing is revealed, so nothing is written down. */
        get: operations["get_standing"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask the provider whether a key works, alone or with a model. It costs no quota, so it proves none. */
        post: operations["test_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/live_sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live sessions that are open now */
        get: operations["list_live_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/live_sessions/{id}": {
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
         * End a Live session
         * @description Both sides are told so, with code 1001.
         */
        delete: operations["end_live_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a session. */
        post: operations["log_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the session. */
        post: operations["log_out"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is logged in. */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change one's own password. Other sessions of the user end. */
        post: operations["change_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Models that are configured or that providers list, or that were asked for and refused or answered. */
        get: operations["list_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Forget what speaks against a model: its used-up quotas and its cooling, for one key's project or for all of them. What
         *     is said of keys as such stays; `POST /api/keys/{id}/reset` forgets that.
         */
        post: operations["reset_model"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/prices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prices. */
        get: operations["list_prices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/prices/{provider}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set what a model costs, from now on. */
        put: operations["put_price"];
        post?: never;
        /** Return a model to the price that keymux came with, if there is one. */
        delete: operations["delete_price"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every provider of the configuration. */
        get: operations["list_providers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/request_logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Requests, newest first. A page may hold fewer rows than asked for, even none, and still have a `next_cursor`: rare
         *     things are searched for in steps. With `format` the answer is a file with all that match; in CSV a name that a
         *     spreadsheet would take for a formula has a `'` in front.
         */
        get: operations["list_requests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/request_logs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One request with every attempt: which key, why this one, why again; and its bodies, where they are kept. */
        get: operations["get_request"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/resources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What belongs to projects, newest first. Members see what their own client keys made. */
        get: operations["list_resources"];
        put?: never;
        post?: never;
        /** Forget whose a resource is. It stays at the provider, and nobody reaches it by keymux any more. */
        delete: operations["forget_resource"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every setting with its type, default, bounds, value and where that is set. */
        get: operations["list_settings"];
        /** Change settings: all of them, or none when one is wrong. Null returns a setting to its default. */
        put: operations["update_settings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/stats/capacity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is left of the day: estimated from projects whose daily quota is used up already. */
        get: operations["get_capacity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/stats/timeseries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A figure over time. */
        get: operations["get_series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How keymux stands: keys by state, requests, latencies. */
        get: operations["get_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Users. */
        get: operations["list_users"];
        put?: never;
        /** Make a user. */
        post: operations["create_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a user. */
        delete: operations["delete_user"];
        options?: never;
        head?: never;
        /** Change a user. */
        patch: operations["update_user"];
        trace?: never;
    };
    "/api/v1/activity-logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was done to the owner's keys, newest first. */
        get: operations["list_account_activity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/provider-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The owner's keys, in order of creation. */
        get: operations["list_account_keys"];
        put?: never;
        /** Add a key. The owner's first one for a provider is selected. */
        post: operations["create_account_key"];
        /** Delete all keys of a provider. */
        delete: operations["delete_account_keys"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/provider-keys/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add many keys. Those that are known already, or are none, are told apart. */
        post: operations["import_account_keys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/provider-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One key, with its secret. Each look is written into the activity log. */
        get: operations["get_account_key"];
        put?: never;
        post?: never;
        /** Delete a key. Where it was the selected one, the next in order of creation is selected. */
        delete: operations["delete_account_key"];
        options?: never;
        head?: never;
        /** Rename a key, switch it off or on, or select it. */
        patch: operations["update_account_key"];
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description How many keys were deleted. */
        AccountDeleted: {
            /**
             * Format: int64
             * @description Keys that are gone.
             * @example 3
             */
            deleted: number;
            /**
             * @description Keys that stay, because the configuration states them.
             * @example 0
             */
            skipped: number;
        };
        /** @description Keys to add: either a list, or a text. */
        AccountImport: {
            /**
             * @description `google`, `xai`, `gigachat` or `perplexity`, as far as this version speaks to them.
             * @example google
             */
            provider_name: string;
            /**
             * @description One key each; the place in the list counts as the line.
             * @example [
             *       "AIzaSyD-0123456789abcdefghijklmnopqrstu"
             *     ]
             */
            keys?: string[] | null;
            /**
             * @description Keys separated by lines, blanks, commas or semicolons; `#` begins a comment.
             * @example AIzaSyE-0123456789abcdefghijklmnopqrstu # second account
             */
            text?: string | null;
        };
        /** @description A provider key of the owner's, without its secret. */
        AccountKey: {
            /**
             * Format: int64
             * @example 17
             */
            id: number;
            /**
             * @description The provider that it is a key of.
             * @example google
             */
            provider_name: string;
            /**
             * @description What its owner calls it.
             * @example billing
             */
            name?: string | null;
            /**
             * @description The key as it may be shown.
             * @example AIza…9f3c
             */
            masked_key: string;
            /** @description It is used before the owner's other keys for the provider. At most one is. */
            is_selected: boolean;
            /** @description False: the owner, or an operator, has switched it off. */
            enabled: boolean;
            /** @description Whether it may be used now. */
            status: components["schemas"]["Status"];
            /**
             * @description Why it is cooling or invalid, for example `billing` or `suspended`.
             * @example billing
             */
            reason?: string | null;
            cooling_until?: components["schemas"]["Time"] | null;
            /** @description When it was added. */
            created_at: components["schemas"]["Time"];
        };
        /** @description What changes about a key; what is left out stays. */
        AccountKeyChange: {
            /**
             * @description What it is called; `label` is taken too, null takes the name away.
             * @example billing
             */
            name?: string | null;
            /**
             * @description True: it is used first from now on, in place of the one that was. False: it is not.
             * @example true
             */
            is_selected?: boolean | null;
            /**
             * @description False takes it out of use.
             * @example true
             */
            enabled?: boolean | null;
        };
        /** @description A provider key of the owner's with its secret. */
        AccountKeyDetail: components["schemas"]["AccountKey"] & {
            /**
             * @description The key itself.
             * @example AIzaSyD-0123456789abcdefghijklmnopqrstu
             */
            api_key: string;
        };
        /** @description A line of the activity log. */
        ActivityView: {
            /**
             * Format: int64
             * @example 311
             */
            id: number;
            /** @description When it was done. */
            at: components["schemas"]["Time"];
            /**
             * @description A user's name, `client:` and a client key's name, `cli`, or `keymux` itself.
             * @example admin
             */
            actor: string;
            /**
             * @description For example `ADD`, `UPDATE`, `DELETE`, `IMPORT`, `REVEAL`, `SELECT`, `UNSELECT`, `FAILOVER_EXHAUSTED`.
             * @example REVEAL
             */
            action: string;
            /**
             * @description The kind of thing, as in the paths of this API.
             * @example keys
             */
            resource: string;
            /**
             * @description Which one: its id, name or address.
             * @example 17
             */
            resource_id?: string | null;
            /** @example google */
            provider?: string | null;
            /**
             * @description A sentence.
             * @example AIza…9f3c (billing)
             */
            details: string;
        };
        /** @description What became of them. */
        AddResult: {
            /**
             * @description Keys that are new, and in use now.
             * @example 9994
             */
            added: number;
            /**
             * @description Keys that were known, or came twice.
             * @example 4
             */
            duplicates: number;
            /**
             * @description Where those stand.
             * @example [
             *       17,
             *       17,
             *       120,
             *       4003
             *     ]
             */
            duplicate_lines: number[];
            /** @description What is no key. */
            invalid: components["schemas"]["InvalidLine"][];
            /**
             * @description The ids of the new ones.
             * @example [
             *       101,
             *       102
             *     ]
             */
            ids: number[];
        };
        /** @description One try of the request with one key. */
        AttemptView: {
            /**
             * @description 1 for the first.
             * @example 1
             */
            number: number;
            /**
             * @description The provider that was asked; along a chain of models it is another one than the request's in the end.
             * @example google
             */
            provider?: string | null;
            /**
             * @description The model that it was asked for.
             * @example gemini-2.5-flash
             */
            model?: string | null;
            /**
             * Format: int64
             * @description The key; null: the caller brought its own.
             * @example 17
             */
            key_id?: number | null;
            /** @example billing */
            key?: string | null;
            /**
             * @description How it left: `direct`, or a proxy.
             * @example direct
             */
            egress: string;
            /**
             * Format: int32
             * @description What the provider answered; null: nothing.
             * @example 429
             */
            status?: number | null;
            /**
             * @description What that means.
             * @example rate_limited
             */
            class: string;
            /**
             * @description More exactly.
             * @example rpm_exceeded
             */
            reason: string;
            /**
             * Format: double
             * @description Until the answer was judged.
             * @example 84.1
             */
            latency_ms: number;
            /**
             * @description How the key was chosen.
             * @example least_loaded of 20
             */
            why_this_key: string;
            /**
             * @description Why there was another try after the one before; null for the first.
             * @example attempt 1 was rate_limited (rpm_exceeded)
             */
            why_again?: string | null;
        };
        /** @description An address that is banned. */
        BanView: {
            /**
             * @description An IPv4 address, or the first address of an IPv6 /64, all of which is banned.
             * @example 203.0.113.9
             */
            ip: string;
            /**
             * @description The same as a network, with all that is banned.
             * @example 203.0.113.9/32
             */
            network: string;
            /**
             * @description Why, for those who read the list.
             * @example 3601 requests in an hour
             */
            reason: string;
            /**
             * @description Who banned it: a user's name, or `keymux` itself; null: an older version did not write it down.
             * @example keymux
             */
            created_by?: string | null;
            /**
             * Format: int64
             * @description The requests of an hour for which keymux banned it; null: it was banned by hand.
             * @example 3601
             */
            requests?: number | null;
            created_at: components["schemas"]["Time"];
            until?: components["schemas"]["Time"] | null;
        };
        /** @description A body that was kept. */
        BodyView: {
            /**
             * @description Text as it passed, without secrets.
             * @example {"contents": []}
             */
            text: string;
            /**
             * Format: int64
             * @description How long it was.
             * @example 1234
             */
            original_bytes: number;
            /** @description Whether only its beginning was kept. */
            truncated: boolean;
        };
        /** @description What is spent of the budget. */
        BudgetView: {
            /**
             * Format: double
             * @description What the requests of the period have cost so far.
             * @example 3.25
             */
            spent_usd: number;
            /**
             * Format: double
             * @description What they may cost; null: anything.
             * @example 25
             */
            limit_usd?: number | null;
            /** @description When the next period begins. */
            resets_at: components["schemas"]["Time"];
        };
        /** @description What a bulk call did. */
        BulkResult: {
            /**
             * @description Keys that were asked for and are there.
             * @example 2
             */
            matched: number;
            /**
             * @description Keys that were done.
             * @example 2
             */
            done: number;
            /**
             * @description Keys that were left as they were, because a file or the environment states them.
             * @example 0
             */
            skipped: number;
            /**
             * @description Keys that were switched on or off by this, so that it can be undone. Left out where nothing was to be switched, and
             *     where more than ten thousand were.
             * @example [
             *       17,
             *       18
             *     ]
             */
            switched?: number[] | null;
        };
        /** @description What is left of the day. */
        CapacityView: {
            /** @description When daily quotas come back: midnight in Los Angeles. */
            resets_at: components["schemas"]["Time"];
            /** @description The models that were used in this day, those with the most requests first; fifty at most. */
            items: components["schemas"]["ModelCapacity"][];
        };
        /** @description The last check of a key with a model. */
        CheckView: components["schemas"]["LastCheck"] & {
            /**
             * Format: int64
             * @description The key's id.
             * @example 17
             */
            key_id: number;
            /**
             * @description The key as it may be shown.
             * @example AIza…9f3c
             */
            masked_key: string;
            /** @example billing */
            label?: string | null;
            /** @example google */
            provider: string;
        };
        /** @description How a model fares with the keys of a provider that are switched on. */
        CheckedModelView: {
            /**
             * @description As the provider names it; null: the keys alone, where no model is listed or in use.
             * @example gemini-flash-latest
             */
            model?: string | null;
            /** @description Whether `health_check` names it; if not, callers have asked for it in the last day. */
            is_listed: boolean;
            /** @description Every key that was asked says that there is no such model. No key is judged by it then. */
            is_missing: boolean;
            /**
             * @description Keys whose last check has succeeded.
             * @example 17
             */
            works: number;
            /**
             * @description Keys whose last check has not.
             * @example 2
             */
            fails: number;
            /**
             * @description Keys that were not checked yet.
             * @example 1
             */
            unchecked: number;
        };
        /** @description What is said of a client key. What is left out has its default; a limit that is left out is none. */
        ClientInput: {
            /**
             * @description What it is called in logs and lists: 1 to 100 characters.
             * @example chat app
             */
            name: string;
            /**
             * @description False: its callers are refused with 401.
             * @default true
             */
            enabled?: boolean;
            expires_at?: components["schemas"]["Time"] | null;
            /**
             * @description The user whom it belongs to: their own provider keys are used before the pool's.
             * @example mei
             */
            owner?: string | null;
            /**
             * Format: int32
             * @description Requests a minute.
             * @example 60
             */
            rpm?: number | null;
            /**
             * Format: int32
             * @description Requests a day (UTC).
             * @example 5000
             */
            rpd?: number | null;
            /**
             * Format: int64
             * @description Tokens a minute.
             * @example 100000
             */
            tpm?: number | null;
            /**
             * Format: int64
             * @description Tokens a day (UTC).
             * @example 2000000
             */
            tpd?: number | null;
            /**
             * Format: int32
             * @description Requests at the same time.
             * @example 10
             */
            max_concurrent?: number | null;
            /**
             * @description Providers by name; empty: any.
             * @example [
             *       "google"
             *     ]
             */
            allowed_providers?: string[];
            /**
             * @description Models by id, with or without provider, `*` at the end for anything; empty: any.
             * @example [
             *       "gemini-2.5-*"
             *     ]
             */
            allowed_models?: string[];
            /**
             * @description Endpoints as the request log names them, `*` at the end for anything; empty: any.
             * @example [
             *       "generateContent",
             *       "models.*"
             *     ]
             */
            allowed_endpoints?: string[];
            /**
             * @description Addresses and networks of callers; empty: any.
             * @example [
             *       "10.0.0.0/8"
             *     ]
             */
            allowed_ips?: string[];
            /**
             * Format: double
             * @description What its requests may cost in a period, in US dollars.
             * @example 25
             */
            budget_usd?: number | null;
            /** @description The period of the budget, in UTC. */
            budget_period?: components["schemas"]["PeriodName"];
        };
        /** @description A client key, without its secret. */
        ClientView: {
            /**
             * Format: int64
             * @example 3
             */
            id: number;
            /** @example chat app */
            name: string;
            /**
             * @description The secret as it may be shown.
             * @example sk-6…NxAQ
             */
            masked_key: string;
            enabled: boolean;
            expires_at?: components["schemas"]["Time"] | null;
            /**
             * @description The user whom it belongs to.
             * @example mei
             */
            owner?: string | null;
            /**
             * Format: int32
             * @description Requests a minute.
             * @example 60
             */
            rpm?: number | null;
            /**
             * Format: int32
             * @description Requests a day (UTC).
             * @example 5000
             */
            rpd?: number | null;
            /**
             * Format: int64
             * @description Tokens a minute.
             * @example 100000
             */
            tpm?: number | null;
            /**
             * Format: int64
             * @description Tokens a day (UTC).
             * @example 2000000
             */
            tpd?: number | null;
            /**
             * Format: int32
             * @description Requests at the same time.
             * @example 10
             */
            max_concurrent?: number | null;
            /**
             * @description Providers by name; empty: any.
             * @example [
             *       "google"
             *     ]
             */
            allowed_providers: string[];
            /**
             * @description Models by id; empty: any.
             * @example [
             *       "gemini-2.5-*"
             *     ]
             */
            allowed_models: string[];
            /**
             * @description Endpoints as the request log names them; empty: any.
             * @example [
             *       "generateContent",
             *       "models.*"
             *     ]
             */
            allowed_endpoints: string[];
            /**
             * @description Addresses and networks of callers; empty: any.
             * @example [
             *       "10.0.0.0/8"
             *     ]
             */
            allowed_ips: string[];
            /**
             * Format: double
             * @description What its requests may cost in a period, in US dollars.
             * @example 25
             */
            budget_usd?: number | null;
            budget_period: components["schemas"]["PeriodName"];
            /**
             * @description `admin`, or `config` or `env` where it is stated there and can be changed there only.
             * @example admin
             */
            source: string;
            created_at: components["schemas"]["Time"];
            usage: components["schemas"]["UsageView"];
        };
        /** @description A project that is cooling for a model. */
        CoolingProject: {
            /**
             * @description Its label; for a key without one, `key:` and the key's id.
             * @example team-a
             */
            project: string;
            /** @description When it is free again. */
            until: components["schemas"]["Time"];
            /**
             * @description The class of the refusal.
             * @example quota_daily
             */
            reason: string;
        };
        /** @description A client key that was made just now. */
        CreatedClient: components["schemas"]["ClientView"] & {
            /**
             * @description The secret. It is not kept, and cannot be shown again.
             * @example sk-6YbVnq2Rk8sWfXcJm4ZtHdPa7LgEuKzT9rBvNxAQ
             */
            key: string;
        };
        /** @description Who wants in. */
        Credentials: {
            /**
             * @description The user's name.
             * @example admin
             */
            username: string;
            /**
             * Format: password
             * @description The password.
             * @example correct horse battery staple
             */
            password: string;
        };
        /** @description The body of every error under `/api/v1`. */
        DetailBody: {
            /**
             * @description A sentence for people, with the field that is wrong before it.
             * @example provider_name: "openai" is no provider; expected google
             */
            detail: string;
        };
        /** @description The ways on which requests leave. */
        EgressFigures: {
            /**
             * @description Proxies that are known.
             * @example 12
             */
            proxies: number;
            /**
             * @description Those that worked when they were last used or checked.
             * @example 9
             */
            healthy: number;
            /**
             * @description Those that nothing has left by yet.
             * @example 2
             */
            untested: number;
            /**
             * @description Those that failed, and are not used for a while.
             * @example 1
             */
            failed: number;
            /**
             * @description Lists of proxies that could not be read the last time.
             * @example 0
             */
            failing_sources: number;
            /** @description Whether requests may leave directly. */
            direct: boolean;
        };
        /**
         * @description How a way stands.
         * @enum {string}
         */
        EgressStatus: "healthy" | "untested" | "failed" | "off";
        /** @description A way on which requests leave. */
        EgressView: {
            /**
             * Format: int64
             * @description What the proxy is known by until keymux ends; null for `direct`.
             * @example 3
             */
            id?: number | null;
            /**
             * @description `direct`, or a proxy without its credentials.
             * @example socks5://10.0.0.9:1080
             */
            name: string;
            /**
             * @description `direct`, `http`, `https` or `socks5`.
             * @example socks5
             */
            kind: string;
            /**
             * @description The list that it was found in; null: the configuration names it.
             * @example lists.example.com
             */
            source?: string | null;
            status: components["schemas"]["EgressStatus"];
            /**
             * @description Why it failed, for example `proxy_unreachable`.
             * @example proxy_unreachable
             */
            reason?: string | null;
            since?: components["schemas"]["Time"] | null;
            retry_at?: components["schemas"]["Time"] | null;
            /**
             * Format: int64
             * @description Attempts that have left through it; null for `direct`.
             * @example 4210
             */
            attempts?: number | null;
            /**
             * Format: int64
             * @description Those that failed by it; null for `direct`.
             * @example 3
             */
            failures?: number | null;
            checked_at?: components["schemas"]["Time"] | null;
            /**
             * Format: double
             * @description How long that took, in milliseconds; null: it failed.
             * @example 182.4
             */
            latency_ms?: number | null;
            /**
             * @description Why that failed, for example `check_timeout`; null: it did not.
             * @example check_timeout
             */
            check_reason?: string | null;
        };
        /** @description The body of every error. */
        ErrorBody: {
            error: components["schemas"]["ErrorDetail"];
        };
        /** @description What went wrong. */
        ErrorDetail: {
            /**
             * @description A stable word for programs.
             * @example invalid
             */
            code: string;
            /**
             * @description A sentence for people, with the value and the remedy.
             * @example weight is 500; expected 1 to 100
             */
            message: string;
            /**
             * @description The field or parameter that is wrong, where it is one.
             * @example weight
             */
            field?: string | null;
        };
        /** @description A field of a value. */
        FieldView: components["schemas"]["FormView"] & {
            /** @example url */
            name: string;
        };
        /**
         * @description How a file stands.
         * @enum {string}
         */
        FileState: "read" | "unreadable" | "left_out";
        /** @description What can be set. */
        FormView: {
            /**
             * @description What it does.
             * @example Attempts for one request.
             */
            description: string;
            /**
             * @description `integer`, `number`, `boolean`, `duration` (`"30s"`), `size` (`"100MiB"`), `text`, `choice`, `list`, `mapping`,
             *     `fields` and some more.
             * @example integer
             */
            type: string;
            /**
             * @description What the elements of a list or a mapping are.
             * @example text
             */
            element?: string | null;
            /** @description The values of a choice. */
            choices?: string[];
            /** @description The value without anybody's doing. */
            default?: unknown;
            /** @description The least value. */
            minimum?: unknown;
            /** @description The largest value. */
            maximum?: unknown;
            /** @description Where the value, or each element of it, has fields of its own. */
            fields?: components["schemas"]["FieldView"][];
        };
        /** @description What is used of one limit. */
        GaugeView: {
            /**
             * Format: int64
             * @description What is used up.
             * @example 12
             */
            used: number;
            /**
             * Format: int64
             * @description How much may be used; null: any.
             * @example 60
             */
            limit?: number | null;
            resets_at?: components["schemas"]["Time"] | null;
        };
        /**
         * @description How requests are told apart.
         * @enum {string}
         */
        GroupBy: "provider" | "model" | "client" | "outcome" | "key";
        /** @description Something that is no key. */
        InvalidLine: {
            /**
             * @description From 1 on.
             * @example 7
             */
            line: number;
            /**
             * @description Why it is none.
             * @example too short for a key
             */
            reason: string;
        };
        /**
         * @description How far a job is.
         * @enum {string}
         */
        JobState: "queued" | "running" | "done" | "failed" | "cancelled";
        /** @description A job as the API shows it. */
        JobView: {
            /**
             * Format: int64
             * @example 4
             */
            id: number;
            /**
             * @description What it does: `bulk_delete`, `bulk_reset`, `bulk_test`, `bulk_update`.
             * @example bulk_test
             */
            kind: string;
            state: components["schemas"]["JobState"];
            /**
             * @description Keys that it is through with.
             * @example 1200
             */
            done: number;
            /**
             * @description Keys that it has to do with.
             * @example 10000
             */
            total: number;
            /** @description Counts so far, and what went wrong. */
            result?: Record<string, never> | null;
            /** @description When it was asked for. */
            begun_at: components["schemas"]["Time"];
            ended_at?: components["schemas"]["Time"] | null;
        };
        /** @description What changes about a key; what is left out stays. */
        KeyChange: {
            /** @example billing */
            label?: string | null;
            /**
             * @description The provider-side account that its quota belongs to; null: one of its own.
             * @example team-a
             */
            project?: string | null;
            /**
             * Format: int32
             * @description Its share relative to its peers.
             * @example 2
             */
            weight?: number | null;
            /**
             * Format: int32
             * @description Lower values are used first.
             * @example 10
             */
            priority?: number | null;
            /**
             * @description The proxy that it leaves by, instead of those of `egress`; null: one of those. For administrators.
             * @example socks5://user:password@10.0.0.9:1080
             */
            egress?: string | null;
            /**
             * @description False takes it out of use.
             * @example false
             */
            enabled?: boolean | null;
        };
        /** @description Keys by state. */
        KeyCounts: {
            /**
             * @description All of them.
             * @example 20
             */
            total: number;
            /**
             * @description Usable, for some models at least.
             * @example 17
             */
            active: number;
            /**
             * @description Not to be used before an instant.
             * @example 2
             */
            cooling: number;
            /**
             * @description Out of use until they are reset or a check finds that they work again.
             * @example 1
             */
            invalid: number;
            /**
             * @description Switched off.
             * @example 0
             */
            disabled: number;
        };
        /** @description A key with its secret. */
        KeyDetail: components["schemas"]["KeyStanding"] & {
            /**
             * @description The key itself.
             * @example AIzaSyD-…
             */
            key: string;
        };
        /** @description A file in a folder of key files, or the folder itself. */
        KeyFileView: {
            /** @example google */
            provider: string;
            /**
             * @description The folder, as `keys_dir` names it.
             * @example keys
             */
            folder: string;
            /**
             * @description The name of the file; null: this is about the folder, which cannot be read.
             * @example team-a.txt
             */
            file?: string | null;
            state: components["schemas"]["FileState"];
            /**
             * @description Keys that were found in it; one that is there twice counts twice.
             * @example 12
             */
            keys: number;
            /**
             * @description How many entries are no keys. They stay in the file and are not used.
             * @example 1
             */
            malformed_total: number;
            /** @description The first 1000 of them. */
            malformed: components["schemas"]["MalformedEntry"][];
            /**
             * @description Why it cannot be read, or is left out. Keys of a file that could be read before stay as they are.
             * @example it is in UTF-16; save it as UTF-8
             */
            error?: string | null;
            last_read_at?: components["schemas"]["Time"] | null;
            /**
             * @description It has one key a line.
             * @example true
             */
            one_key_per_line: boolean;
            rewritten_at?: components["schemas"]["Time"] | null;
            /**
             * @description Why keymux does not bring it into one key a line.
             * @example Read-only file system (os error 30)
             */
            not_rewritten?: string | null;
        };
        /** @description Which keys; what is left out does not matter. */
        KeyFilter: {
            /**
             * @description Keys of this provider.
             * @default null
             */
            provider?: string | null;
            /** @default null */
            status?: components["schemas"]["Status"] | null;
            /**
             * @description Keys that are out for this reason, for example `rate_limited` or `invalid`.
             * @default null
             */
            reason?: string | null;
            /**
             * @description Keys of this project.
             * @default null
             */
            project?: string | null;
            /**
             * @description Keys with this label.
             * @default null
             */
            label?: string | null;
            /**
             * @description Keys of this user; `none`: those of the shared pool.
             * @default null
             */
            owner?: string | null;
            /**
             * @description Keys that came from there: `config`, `env`, `file`, `admin`.
             * @default null
             */
            source?: string | null;
            /**
             * @description Keys that this file of `keys_dir` states.
             * @default null
             */
            file?: string | null;
            /**
             * @description Keys whose label, project, id or masked form holds this text. A whole key finds itself.
             * @default null
             */
            q?: string | null;
        };
        /** @description A key without its secret, with what is known of its project and each model. */
        KeyStanding: components["schemas"]["KeyView"] & {
            /** @description What is known of its project and each model. */
            models: components["schemas"]["ModelOfKey"][];
            /** @description The last check with each model. */
            checks: components["schemas"]["LastCheck"][];
        };
        /** @description A key, without its secret. */
        KeyView: {
            /**
             * Format: int64
             * @example 17
             */
            id: number;
            /** @example google */
            provider: string;
            /** @example billing */
            label?: string | null;
            /**
             * @description The provider-side account that its quota belongs to; null: one of its own.
             * @example team-a
             */
            project?: string | null;
            /**
             * Format: int32
             * @description Its share relative to its peers.
             * @example 1
             */
            weight: number;
            /**
             * Format: int32
             * @description Lower values are used first.
             * @example 0
             */
            priority: number;
            /**
             * @description The proxy that it leaves by, without credentials.
             * @example socks5://10.0.0.9:1080
             */
            egress?: string | null;
            enabled: boolean;
            status: components["schemas"]["Status"];
            /**
             * @description Why it is cooling or invalid, for example `rate_limited` or `suspended`.
             * @example rate_limited
             */
            reason?: string | null;
            cooling_until?: components["schemas"]["Time"] | null;
            invalid_since?: components["schemas"]["Time"] | null;
            /**
             * Format: int32
             * @description Failures in a row that count towards `pool.max_failures`.
             * @example 0
             */
            failures: number;
            /**
             * Format: int32
             * @description Requests that use it now.
             * @example 2
             */
            in_flight: number;
            /**
             * Format: double
             * @description The moving average of its time to a first useful byte; null before its first answer.
             * @example 412.5
             */
            latency_ms?: number | null;
            /**
             * @description The key as it may be shown.
             * @example AIza…9f3c
             */
            masked_key: string;
            /**
             * @description `config`, `env`, `file` or `admin`: where it came from. What a source states is deleted there; keys of `config` and
             *     `env` are also labelled and weighted there.
             * @example file
             */
            source: string;
            /**
             * @description The file of `keys_dir` that states it; null: none, or none any more.
             * @example team-a.txt
             */
            file?: string | null;
            /**
             * @description The user whose key it is; null: the shared pool's.
             * @example mei
             */
            owner?: string | null;
            /** @description Of its owner's keys for the provider the one that is used first. */
            selected: boolean;
            created_at: components["schemas"]["Time"];
        };
        /** @description What a check found, and when the next one is. */
        LastCheck: {
            /**
             * @description As the provider names it; null: the key alone.
             * @example gemini-flash-latest
             */
            model?: string | null;
            /**
             * @description Whether the provider took the key and let it use the model; null: not checked yet.
             * @example false
             */
            works?: boolean | null;
            /**
             * Format: int32
             * @description The status that the provider answered with; null: no answer.
             * @example 403
             */
            status?: number | null;
            /**
             * @description What the answer means, for example `ok`, `key_invalid`, `network`.
             * @example key_restricted
             */
            class?: string | null;
            /**
             * @description More exactly; `traffic`: a caller's request has proved it.
             * @example service_disabled
             */
            reason?: string | null;
            /**
             * Format: int32
             * @description How long the provider took, in milliseconds, up to a minute.
             * @example 84
             */
            latency_ms?: number | null;
            checked_at?: components["schemas"]["Time"] | null;
            next_at?: components["schemas"]["Time"] | null;
        };
        /** @description How many entries of a list were left out, and why. */
        LeftOutView: {
            /**
             * @description They are no proxies.
             * @example 2
             */
            malformed: number;
            /**
             * @description They speak something else, such as SOCKS4.
             * @example 31
             */
            unsupported: number;
            /**
             * @description Their address is private, loopback, link-local or of a metadata service.
             * @example 1
             */
            out_of_reach: number;
            /**
             * @description They are in the list already.
             * @example 14
             */
            repeated: number;
            /**
             * @description They come after as many as are taken of a list.
             * @example 0
             */
            too_many: number;
        };
        /** @description A line of a chart. */
        LineView: {
            /**
             * @description What it is of; empty: of all.
             * @example google/gemini-2.5-flash
             */
            group: string;
            /** @description In the order of time, none left out. */
            points: components["schemas"]["PointView"][];
        };
        /** @description Figures of this moment, for those who watch. */
        Live: {
            /**
             * Format: int64
             * @description Requests that ended in the last second.
             * @example 12
             */
            requests_last_second: number;
            /**
             * Format: int64
             * @description Requests that ended in the last minute.
             * @example 640
             */
            requests_last_minute: number;
            /**
             * Format: int64
             * @description Those that went wrong.
             * @example 3
             */
            failed_last_minute: number;
            /**
             * Format: int64
             * @description Attempts under way.
             * @example 7
             */
            in_flight: number;
            keys: components["schemas"]["KeyCounts"];
        };
        /** @description A Live session that is open. */
        LiveSessionView: {
            /**
             * @description The id of its request.
             * @example 0197a3c1d2e40001
             */
            id: string;
            /**
             * @description The name of the client key; null: an anonymous caller.
             * @example app
             */
            client?: string | null;
            /**
             * @description The provider that it goes to.
             * @example google
             */
            provider: string;
            /**
             * @description The model that it is for; null: not known yet.
             * @example gemini-live-2.5-flash
             */
            model?: string | null;
            /**
             * Format: int64
             * @description The id of the provider key; null: not open at the provider yet, or the caller's own key.
             * @example 3
             */
            key?: number | null;
            /**
             * @description How it leaves: `direct`, or the proxy; null: not open at the provider yet.
             * @example direct
             */
            egress?: string | null;
            /** @description When it began. */
            since: components["schemas"]["Time"];
            /** @description What the caller has sent. */
            from_caller: components["schemas"]["PassedView"];
            /** @description What the provider has sent. */
            from_provider: components["schemas"]["PassedView"];
            tokens?: components["schemas"]["TokensView"] | null;
        };
        /** @description A session that has begun. */
        LoggedIn: {
            /**
             * @description Send it as `Authorization: Bearer`. A browser gets it as cookie too.
             * @example kms_8c1f…
             */
            access_token: string;
            /**
             * @description Always `bearer`.
             * @example bearer
             */
            token_type: string;
            /**
             * Format: int64
             * @description Seconds until the session is over.
             * @example 2592000
             */
            expires_in: number;
            /**
             * @description Callers with the cookie send it as `X-CSRF-Token` with everything that changes something.
             * @example DzpsHZvhJ3-hwF6I0bLD1A
             */
            csrf_token: string;
            /** @description Who is logged in. */
            user: components["schemas"]["Me"];
        };
        /** @description What a request with a long prompt costs. */
        LongPromptBody: {
            /**
             * Format: int32
             * @description Prompts of more tokens than this are long.
             * @example 200000
             */
            above_tokens: number;
            /**
             * Format: double
             * @description Input that came from no cache.
             * @example 2.5
             */
            input: number;
            /**
             * Format: double
             * @description Input that came from a cache; null: as other input.
             * @example 0.25
             */
            cached_input?: number | null;
            /**
             * Format: double
             * @description Output.
             * @example 15
             */
            output: number;
        };
        /** @description Something in a file that is no key. */
        MalformedEntry: {
            /**
             * @description From 1 on.
             * @example 7
             */
            line: number;
            /**
             * @description Why.
             * @example too short for a key
             */
            reason: string;
        };
        /** @description An entry that is no proxy. */
        MalformedView: {
            /**
             * @description Its line, or its place in the array, from 1.
             * @example 17
             */
            at: number;
            /**
             * @description What it says, shortened, and without what may be a password.
             * @example 10.0.0.300:80
             */
            text: string;
            /**
             * @description What is wrong with it.
             * @example its host is neither an address nor a name
             */
            why: string;
        };
        /** @description Who is logged in. */
        Me: {
            /**
             * Format: int64
             * @description The user's id.
             * @example 1
             */
            id: number;
            /**
             * @description The user's name.
             * @example admin
             */
            username: string;
            /**
             * @description `admin` or `member`.
             * @example admin
             */
            role: string;
            /** @description When the user was made. */
            created_at: components["schemas"]["Time"];
            /**
             * @description The CSRF token of this session.
             * @example DzpsHZvhJ3-hwF6I0bLD1A
             */
            csrf_token: string;
        };
        /**
         * @description What is shown.
         * @enum {string}
         */
        Metric: "requests" | "failed" | "success_rate" | "tokens" | "prompt_tokens" | "output_tokens" | "reasoning_tokens" | "cached_tokens" | "cost_usd" | "latency_mean" | "latency_p50" | "latency_p95" | "latency_p99" | "first_byte_p50" | "first_byte_p95" | "first_byte_p99";
        /** @description A model at one provider. */
        ModelAtProvider: {
            /** @example google */
            provider: string;
            /**
             * @description Keys of the pool that a request for it could take now.
             * @example 17
             */
            usable_keys: number;
            /**
             * @description Projects whose quota for it is used up for now.
             * @example 2
             */
            cooling: number;
            next_reset_at?: components["schemas"]["Time"] | null;
            /** @description The first hundred of them, by when they are free. */
            cooling_projects: components["schemas"]["CoolingProject"][];
            /**
             * Format: int64
             * @description Requests that providers have accepted in this Pacific day.
             * @example 1250
             */
            requests_today: number;
        };
        /** @description What is left of a model's day. */
        ModelCapacity: {
            /**
             * @description With its provider.
             * @example google/gemini-2.5-flash
             */
            id: string;
            /**
             * @description Keys of the pool that a request for it could take now.
             * @example 17
             */
            usable_keys: number;
            /**
             * @description Projects that have a key in use.
             * @example 12
             */
            projects: number;
            /**
             * @description Those whose quota for this model is used up for the day.
             * @example 3
             */
            projects_used_up: number;
            /**
             * Format: int64
             * @description Requests that the provider has accepted in this Pacific day.
             * @example 1250
             */
            requests_today: number;
            /**
             * Format: int64
             * @description Requests that succeeded in the last 60 minutes.
             * @example 140
             */
            requests_last_hour: number;
            /**
             * Format: int64
             * @description Requests that a project has in a day: the median of those that are used up; null: none is.
             * @example 250
             */
            daily_limit?: number | null;
            /**
             * Format: int64
             * @description What the other projects have left of that; null: the limit is not known.
             * @example 1890
             */
            left_today?: number | null;
            exhausted_at?: components["schemas"]["Time"] | null;
        };
        /** @description How a key's project stands for one model. */
        ModelOfKey: {
            /** @example gemini-2.5-flash */
            model: string;
            cooling_until?: components["schemas"]["Time"] | null;
            /**
             * @description Why it is cooling.
             * @example quota_daily
             */
            reason?: string | null;
            /**
             * Format: int32
             * @description Requests that the provider has accepted in this Pacific day.
             * @example 190
             */
            requests_today: number;
        };
        /** @description Which model, and for whom. */
        ModelReset: {
            /** @example google */
            provider: string;
            /**
             * @description As the provider names it.
             * @example gemini-2.5-flash
             */
            model: string;
            /**
             * Format: int64
             * @description The key whose project is meant; left out: every key that the user may change.
             * @example 17
             */
            key_id?: number | null;
        };
        /** @description What was forgotten. */
        ModelResetResult: {
            /**
             * @description Projects that were cooling for the model and are not any more.
             * @example 3
             */
            reset: number;
        };
        /** @description A model. */
        ModelView: {
            /**
             * @description With its provider, as requests in OpenAI's dialect name it.
             * @example google/gemini-2.5-flash
             */
            id: string;
            /** @example gemini-2.5-flash */
            model: string;
            /** @description The providers that have it. */
            providers: components["schemas"]["ModelAtProvider"][];
        };
        /** @description A new key of the owner's. */
        NewAccountKey: {
            /**
             * @description `google`, `xai`, `gigachat` or `perplexity`, as far as this version speaks to them.
             * @example google
             */
            provider_name: string;
            /**
             * @description The key itself; `key` is taken too.
             * @example AIzaSyD-0123456789abcdefghijklmnopqrstu
             */
            api_key: string;
            /**
             * @description What it is called; `label` is taken too.
             * @example billing
             */
            name?: string | null;
        };
        /** @description A new ban. */
        NewBan: {
            /**
             * @description The address; of IPv6 the whole /64 is banned, and may be given as such.
             * @example 203.0.113.9
             */
            ip: string;
            /**
             * @description Why, for those who read the list.
             * @example scraping
             */
            reason?: string;
            until?: components["schemas"]["Time"] | null;
        };
        /** @description A new key. */
        NewKey: {
            /** @example google */
            provider: string;
            /**
             * @description The key itself.
             * @example AIzaSyD-0123456789abcdefghijklmnopqrstu
             */
            key: string;
            /** @example billing */
            label?: string | null;
            /**
             * @description The provider-side account that its quota belongs to; left out: one of its own.
             * @example team-a
             */
            project?: string | null;
            /**
             * Format: int32
             * @description Its share relative to its peers.
             * @example 1
             */
            weight?: number | null;
            /**
             * Format: int32
             * @description Lower values are used first.
             * @example 0
             */
            priority?: number | null;
            /**
             * @description The proxy that it leaves by, instead of those of `egress`: `http://`, `https://` or `socks5://`. For administrators.
             * @example socks5://user:password@10.0.0.9:1080
             */
            egress?: string | null;
            /**
             * @description The user whose key it is; left out: the shared pool's. Members add keys for themselves.
             * @example mei
             */
            owner?: string | null;
        };
        /** @description Keys to add: either a list, or a text. */
        NewKeys: {
            /** @example google */
            provider: string;
            /** @description One key each; the place in the list counts as the line. */
            keys?: string[] | null;
            /**
             * @description Keys separated by lines, blanks, commas or semicolons; `#` begins a comment.
             * @example AIzaSyD-0123456789abcdefghijklmnopqrstu # team a
             *     AIzaSyE-0123456789abcdefghijklmnopqrstu
             */
            text?: string | null;
            /**
             * @description The project of all of them; left out: each is one of its own.
             * @example team-a
             */
            project?: string | null;
            /**
             * @description The label of all of them.
             * @example pasted
             */
            label?: string | null;
            /**
             * @description The user whose keys they are; left out: the shared pool's. Members add keys for themselves.
             * @example mei
             */
            owner?: string | null;
            /**
             * @description True: nothing is added; the answer says what would become of each. `ids` is empty then.
             * @example false
             */
            dry_run?: boolean;
        };
        /** @description A new password for oneself. */
        NewPassword: {
            /**
             * Format: password
             * @description The password until now.
             */
            current_password: string;
            /**
             * Format: password
             * @description The password from now on: at least eight characters.
             */
            new_password: string;
        };
        /** @description A new user. */
        NewUser: {
            /**
             * @description 1 to 64 letters, digits, dots, dashes, underscores or @.
             * @example mei
             */
            username: string;
            /**
             * Format: password
             * @description At least eight characters.
             * @example eight or more
             */
            password: string;
            role?: components["schemas"]["RoleName"];
        };
        /** @description A part of a list. */
        Page_AccountKey: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @example 17
                 */
                id: number;
                /**
                 * @description The provider that it is a key of.
                 * @example google
                 */
                provider_name: string;
                /**
                 * @description What its owner calls it.
                 * @example billing
                 */
                name?: string | null;
                /**
                 * @description The key as it may be shown.
                 * @example AIza…9f3c
                 */
                masked_key: string;
                /** @description It is used before the owner's other keys for the provider. At most one is. */
                is_selected: boolean;
                /** @description False: the owner, or an operator, has switched it off. */
                enabled: boolean;
                /** @description Whether it may be used now. */
                status: components["schemas"]["Status"];
                /**
                 * @description Why it is cooling or invalid, for example `billing` or `suspended`.
                 * @example billing
                 */
                reason?: string | null;
                cooling_until?: components["schemas"]["Time"] | null;
                /** @description When it was added. */
                created_at: components["schemas"]["Time"];
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_ActivityView: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @example 311
                 */
                id: number;
                /** @description When it was done. */
                at: components["schemas"]["Time"];
                /**
                 * @description A user's name, `client:` and a client key's name, `cli`, or `keymux` itself.
                 * @example admin
                 */
                actor: string;
                /**
                 * @description For example `ADD`, `UPDATE`, `DELETE`, `IMPORT`, `REVEAL`, `SELECT`, `UNSELECT`, `FAILOVER_EXHAUSTED`.
                 * @example REVEAL
                 */
                action: string;
                /**
                 * @description The kind of thing, as in the paths of this API.
                 * @example keys
                 */
                resource: string;
                /**
                 * @description Which one: its id, name or address.
                 * @example 17
                 */
                resource_id?: string | null;
                /** @example google */
                provider?: string | null;
                /**
                 * @description A sentence.
                 * @example AIza…9f3c (billing)
                 */
                details: string;
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_BanView: {
            /** @description The rows. */
            items: {
                /**
                 * @description An IPv4 address, or the first address of an IPv6 /64, all of which is banned.
                 * @example 203.0.113.9
                 */
                ip: string;
                /**
                 * @description The same as a network, with all that is banned.
                 * @example 203.0.113.9/32
                 */
                network: string;
                /**
                 * @description Why, for those who read the list.
                 * @example 3601 requests in an hour
                 */
                reason: string;
                /**
                 * @description Who banned it: a user's name, or `keymux` itself; null: an older version did not write it down.
                 * @example keymux
                 */
                created_by?: string | null;
                /**
                 * Format: int64
                 * @description The requests of an hour for which keymux banned it; null: it was banned by hand.
                 * @example 3601
                 */
                requests?: number | null;
                created_at: components["schemas"]["Time"];
                until?: components["schemas"]["Time"] | null;
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_CheckView: {
            /** @description The rows. */
            items: (components["schemas"]["LastCheck"] & {
                /**
                 * Format: int64
                 * @description The key's id.
                 * @example 17
                 */
                key_id: number;
                /**
                 * @description The key as it may be shown.
                 * @example AIza…9f3c
                 */
                masked_key: string;
                /** @example billing */
                label?: string | null;
                /** @example google */
                provider: string;
            })[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_ClientView: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @example 3
                 */
                id: number;
                /** @example chat app */
                name: string;
                /**
                 * @description The secret as it may be shown.
                 * @example sk-6…NxAQ
                 */
                masked_key: string;
                enabled: boolean;
                expires_at?: components["schemas"]["Time"] | null;
                /**
                 * @description The user whom it belongs to.
                 * @example mei
                 */
                owner?: string | null;
                /**
                 * Format: int32
                 * @description Requests a minute.
                 * @example 60
                 */
                rpm?: number | null;
                /**
                 * Format: int32
                 * @description Requests a day (UTC).
                 * @example 5000
                 */
                rpd?: number | null;
                /**
                 * Format: int64
                 * @description Tokens a minute.
                 * @example 100000
                 */
                tpm?: number | null;
                /**
                 * Format: int64
                 * @description Tokens a day (UTC).
                 * @example 2000000
                 */
                tpd?: number | null;
                /**
                 * Format: int32
                 * @description Requests at the same time.
                 * @example 10
                 */
                max_concurrent?: number | null;
                /**
                 * @description Providers by name; empty: any.
                 * @example [
                 *       "google"
                 *     ]
                 */
                allowed_providers: string[];
                /**
                 * @description Models by id; empty: any.
                 * @example [
                 *       "gemini-2.5-*"
                 *     ]
                 */
                allowed_models: string[];
                /**
                 * @description Endpoints as the request log names them; empty: any.
                 * @example [
                 *       "generateContent",
                 *       "models.*"
                 *     ]
                 */
                allowed_endpoints: string[];
                /**
                 * @description Addresses and networks of callers; empty: any.
                 * @example [
                 *       "10.0.0.0/8"
                 *     ]
                 */
                allowed_ips: string[];
                /**
                 * Format: double
                 * @description What its requests may cost in a period, in US dollars.
                 * @example 25
                 */
                budget_usd?: number | null;
                budget_period: components["schemas"]["PeriodName"];
                /**
                 * @description `admin`, or `config` or `env` where it is stated there and can be changed there only.
                 * @example admin
                 */
                source: string;
                created_at: components["schemas"]["Time"];
                usage: components["schemas"]["UsageView"];
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_EgressView: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @description What the proxy is known by until keymux ends; null for `direct`.
                 * @example 3
                 */
                id?: number | null;
                /**
                 * @description `direct`, or a proxy without its credentials.
                 * @example socks5://10.0.0.9:1080
                 */
                name: string;
                /**
                 * @description `direct`, `http`, `https` or `socks5`.
                 * @example socks5
                 */
                kind: string;
                /**
                 * @description The list that it was found in; null: the configuration names it.
                 * @example lists.example.com
                 */
                source?: string | null;
                status: components["schemas"]["EgressStatus"];
                /**
                 * @description Why it failed, for example `proxy_unreachable`.
                 * @example proxy_unreachable
                 */
                reason?: string | null;
                since?: components["schemas"]["Time"] | null;
                retry_at?: components["schemas"]["Time"] | null;
                /**
                 * Format: int64
                 * @description Attempts that have left through it; null for `direct`.
                 * @example 4210
                 */
                attempts?: number | null;
                /**
                 * Format: int64
                 * @description Those that failed by it; null for `direct`.
                 * @example 3
                 */
                failures?: number | null;
                checked_at?: components["schemas"]["Time"] | null;
                /**
                 * Format: double
                 * @description How long that took, in milliseconds; null: it failed.
                 * @example 182.4
                 */
                latency_ms?: number | null;
                /**
                 * @description Why that failed, for example `check_timeout`; null: it did not.
                 * @example check_timeout
                 */
                check_reason?: string | null;
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_JobView: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @example 4
                 */
                id: number;
                /**
                 * @description What it does: `bulk_delete`, `bulk_reset`, `bulk_test`, `bulk_update`.
                 * @example bulk_test
                 */
                kind: string;
                state: components["schemas"]["JobState"];
                /**
                 * @description Keys that it is through with.
                 * @example 1200
                 */
                done: number;
                /**
                 * @description Keys that it has to do with.
                 * @example 10000
                 */
                total: number;
                /** @description Counts so far, and what went wrong. */
                result?: Record<string, never> | null;
                /** @description When it was asked for. */
                begun_at: components["schemas"]["Time"];
                ended_at?: components["schemas"]["Time"] | null;
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_KeyFileView: {
            /** @description The rows. */
            items: {
                /** @example google */
                provider: string;
                /**
                 * @description The folder, as `keys_dir` names it.
                 * @example keys
                 */
                folder: string;
                /**
                 * @description The name of the file; null: this is about the folder, which cannot be read.
                 * @example team-a.txt
                 */
                file?: string | null;
                state: components["schemas"]["FileState"];
                /**
                 * @description Keys that were found in it; one that is there twice counts twice.
                 * @example 12
                 */
                keys: number;
                /**
                 * @description How many entries are no keys. They stay in the file and are not used.
                 * @example 1
                 */
                malformed_total: number;
                /** @description The first 1000 of them. */
                malformed: components["schemas"]["MalformedEntry"][];
                /**
                 * @description Why it cannot be read, or is left out. Keys of a file that could be read before stay as they are.
                 * @example it is in UTF-16; save it as UTF-8
                 */
                error?: string | null;
                last_read_at?: components["schemas"]["Time"] | null;
                /**
                 * @description It has one key a line.
                 * @example true
                 */
                one_key_per_line: boolean;
                rewritten_at?: components["schemas"]["Time"] | null;
                /**
                 * @description Why keymux does not bring it into one key a line.
                 * @example Read-only file system (os error 30)
                 */
                not_rewritten?: string | null;
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_KeyStanding: {
            /** @description The rows. */
            items: (components["schemas"]["KeyView"] & {
                /** @description What is known of its project and each model. */
                models: components["schemas"]["ModelOfKey"][];
                /** @description The last check with each model. */
                checks: components["schemas"]["LastCheck"][];
            })[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_KeyView: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @example 17
                 */
                id: number;
                /** @example google */
                provider: string;
                /** @example billing */
                label?: string | null;
                /**
                 * @description The provider-side account that its quota belongs to; null: one of its own.
                 * @example team-a
                 */
                project?: string | null;
                /**
                 * Format: int32
                 * @description Its share relative to its peers.
                 * @example 1
                 */
                weight: number;
                /**
                 * Format: int32
                 * @description Lower values are used first.
                 * @example 0
                 */
                priority: number;
                /**
                 * @description The proxy that it leaves by, without credentials.
                 * @example socks5://10.0.0.9:1080
                 */
                egress?: string | null;
                enabled: boolean;
                status: components["schemas"]["Status"];
                /**
                 * @description Why it is cooling or invalid, for example `rate_limited` or `suspended`.
                 * @example rate_limited
                 */
                reason?: string | null;
                cooling_until?: components["schemas"]["Time"] | null;
                invalid_since?: components["schemas"]["Time"] | null;
                /**
                 * Format: int32
                 * @description Failures in a row that count towards `pool.max_failures`.
                 * @example 0
                 */
                failures: number;
                /**
                 * Format: int32
                 * @description Requests that use it now.
                 * @example 2
                 */
                in_flight: number;
                /**
                 * Format: double
                 * @description The moving average of its time to a first useful byte; null before its first answer.
                 * @example 412.5
                 */
                latency_ms?: number | null;
                /**
                 * @description The key as it may be shown.
                 * @example AIza…9f3c
                 */
                masked_key: string;
                /**
                 * @description `config`, `env`, `file` or `admin`: where it came from. What a source states is deleted there; keys of `config` and
                 *     `env` are also labelled and weighted there.
                 * @example file
                 */
                source: string;
                /**
                 * @description The file of `keys_dir` that states it; null: none, or none any more.
                 * @example team-a.txt
                 */
                file?: string | null;
                /**
                 * @description The user whose key it is; null: the shared pool's.
                 * @example mei
                 */
                owner?: string | null;
                /** @description Of its owner's keys for the provider the one that is used first. */
                selected: boolean;
                created_at: components["schemas"]["Time"];
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_LiveSessionView: {
            /** @description The rows. */
            items: {
                /**
                 * @description The id of its request.
                 * @example 0197a3c1d2e40001
                 */
                id: string;
                /**
                 * @description The name of the client key; null: an anonymous caller.
                 * @example app
                 */
                client?: string | null;
                /**
                 * @description The provider that it goes to.
                 * @example google
                 */
                provider: string;
                /**
                 * @description The model that it is for; null: not known yet.
                 * @example gemini-live-2.5-flash
                 */
                model?: string | null;
                /**
                 * Format: int64
                 * @description The id of the provider key; null: not open at the provider yet, or the caller's own key.
                 * @example 3
                 */
                key?: number | null;
                /**
                 * @description How it leaves: `direct`, or the proxy; null: not open at the provider yet.
                 * @example direct
                 */
                egress?: string | null;
                /** @description When it began. */
                since: components["schemas"]["Time"];
                /** @description What the caller has sent. */
                from_caller: components["schemas"]["PassedView"];
                /** @description What the provider has sent. */
                from_provider: components["schemas"]["PassedView"];
                tokens?: components["schemas"]["TokensView"] | null;
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_ModelView: {
            /** @description The rows. */
            items: {
                /**
                 * @description With its provider, as requests in OpenAI's dialect name it.
                 * @example google/gemini-2.5-flash
                 */
                id: string;
                /** @example gemini-2.5-flash */
                model: string;
                /** @description The providers that have it. */
                providers: components["schemas"]["ModelAtProvider"][];
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_PriceView: {
            /** @description The rows. */
            items: {
                /** @example google */
                provider: string;
                /**
                 * @description A model's id; `*` at the end stands for anything.
                 * @example gemini-2.5-pro
                 */
                model: string;
                /**
                 * Format: double
                 * @description Input that came from no cache.
                 * @example 1.25
                 */
                input: number;
                /**
                 * Format: double
                 * @description Input that came from a cache; null: as other input.
                 * @example 0.125
                 */
                cached_input?: number | null;
                /**
                 * Format: double
                 * @description Output.
                 * @example 10
                 */
                output: number;
                /**
                 * Format: double
                 * @description Output that was reasoning; null: as other output.
                 * @example 10
                 */
                reasoning?: number | null;
                long_prompt?: components["schemas"]["LongPromptBody"] | null;
                /** @description Whether keymux came with it, or an operator has set it. */
                source: components["schemas"]["SourceName"];
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_ProviderView: {
            /** @description The rows. */
            items: {
                /** @example google */
                name: string;
                /**
                 * @description What it speaks: `gemini`, `openai`, `perplexity` or `gigachat`.
                 * @example gemini
                 */
                kind: string;
                /**
                 * @description Where it is reached.
                 * @example https://generativelanguage.googleapis.com
                 */
                base_url: string;
                /**
                 * @description The model of requests that name none.
                 * @example gemini-flash-latest
                 */
                default_model?: string | null;
                /** @description False: this version does not speak to it. */
                in_use: boolean;
                keys: components["schemas"]["KeyCounts"];
                /** @description The models that its keys are checked with, and how they fare. */
                checked_models: components["schemas"]["CheckedModelView"][];
                /**
                 * @description What is wrong with its configuration, as far as checks of its keys have shown.
                 * @example [
                 *       "no key has the model gemini-flsh-latest of health_check: correct it"
                 *     ]
                 */
                warnings: string[];
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_RequestView: {
            /** @description The rows. */
            items: {
                /**
                 * @description What callers read as `x-keymux-request-id`.
                 * @example 6gzkrb1p2nw0v
                 */
                id: string;
                /** @description When it began. */
                time: components["schemas"]["Time"];
                /**
                 * Format: int64
                 * @description The client key; null: an anonymous caller.
                 * @example 3
                 */
                client_id?: number | null;
                /**
                 * @description Its name, while it is there.
                 * @example chat app
                 */
                client?: string | null;
                /**
                 * @description The shape of the request: `gemini`, `openai`, `anthropic`, `simple`.
                 * @example gemini
                 */
                dialect: string;
                /**
                 * @description What was asked, a name from a bounded set.
                 * @example streamGenerateContent
                 */
                endpoint: string;
                /** @example google */
                provider?: string | null;
                /** @example gemini-2.5-flash */
                model?: string | null;
                /**
                 * Format: int64
                 * @description The key of the last attempt.
                 * @example 17
                 */
                key_id?: number | null;
                /**
                 * @description Its label or its masked form, while it is there.
                 * @example billing
                 */
                key?: string | null;
                /**
                 * Format: int32
                 * @description The status that the caller got; 499 when it went away before an answer.
                 * @example 200
                 */
                status: number;
                /** @description Whether the answer was a stream. */
                stream: boolean;
                /**
                 * @description How many attempts it took.
                 * @example 2
                 */
                attempts: number;
                /**
                 * Format: double
                 * @description From the first byte of the request to the last of the answer.
                 * @example 1834.2
                 */
                latency_ms: number;
                /**
                 * Format: double
                 * @description To the first useful byte of the answer.
                 * @example 412.7
                 */
                first_byte_ms?: number | null;
                tokens?: components["schemas"]["TokensView"] | null;
                /**
                 * Format: double
                 * @description What they cost, where the model has a price.
                 * @example 0.00042
                 */
                cost_usd?: number | null;
                /**
                 * @description What went wrong, for example `rate_limited`; null: nothing.
                 * @example rate_limited
                 */
                error?: string | null;
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_ResourceView: {
            /** @description The rows. */
            items: {
                /** @example google */
                provider: string;
                /**
                 * @description Its name there.
                 * @example files/abc-123
                 */
                name: string;
                /**
                 * @description What it is one of.
                 * @example files
                 */
                collection: string;
                /**
                 * @description The project whose keys reach it; of a key without one, `key:` and its id.
                 * @example team-a
                 */
                project: string;
                /**
                 * Format: int64
                 * @description The client key that it was made with; null: a caller without one made it.
                 * @example 3
                 */
                client_id?: number | null;
                /**
                 * @description What that client key is called; null where there is none any more.
                 * @example app
                 */
                client?: string | null;
                /**
                 * @description The user whose client key that was.
                 * @example alice
                 */
                owner?: string | null;
                created_at: components["schemas"]["Time"];
                expires_at?: components["schemas"]["Time"] | null;
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_SourceView: {
            /** @description The rows. */
            items: {
                /**
                 * @description What it is called: its preset, its file, or the host of its URL.
                 * @example lists.example.com
                 */
                name: string;
                /**
                 * @description `url`, `file` or `preset`.
                 * @example url
                 */
                kind: string;
                /**
                 * @description How it is written: `text` or `json`.
                 * @example text
                 */
                format: string;
                /** @description Whether it was read well the last time; null: it was not read yet. */
                ok?: boolean | null;
                /**
                 * @description Why it could not be read the last time. What it held before stays in force.
                 * @example lists.example.com answered with status 503
                 */
                problem?: string | null;
                /**
                 * @description Proxies that it held when it was last read well.
                 * @example 412
                 */
                proxies: number;
                left_out: components["schemas"]["LeftOutView"];
                /** @description The first entries that are no proxies. */
                malformed: components["schemas"]["MalformedView"][];
                read_at?: components["schemas"]["Time"] | null;
                /** @description When it is read again. */
                next_at: components["schemas"]["Time"];
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description A part of a list. */
        Page_UserView: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @example 2
                 */
                id: number;
                /**
                 * @description The name to log in by.
                 * @example mei
                 */
                username: string;
                /** @description What they may do: everything, or only what concerns their own things. */
                role: components["schemas"]["RoleName"];
                /** @description False: they cannot log in. */
                enabled: boolean;
                created_at: components["schemas"]["Time"];
                /** @description When name, role or password were last set. */
                updated_at: components["schemas"]["Time"];
            }[];
            /**
             * @description What to ask the next page with; null: there is none.
             * @example WyItY3JlYXRlZF9hdCIsNDJd
             */
            next_cursor?: string | null;
            /**
             * @description How many rows there are in all pages, where that is cheap to know.
             * @example 1204
             */
            total?: number | null;
        };
        /** @description What has passed one way. */
        PassedView: {
            /**
             * Format: int64
             * @description Messages, texts and audio alike.
             * @example 120
             */
            messages: number;
            /**
             * Format: int64
             * @description The bytes in them.
             * @example 480000
             */
            bytes: number;
        };
        /** @description Latencies of the last 24 hours, from the first byte of a request to the last of its answer; null: there were none. */
        Percentiles: {
            /**
             * Format: double
             * @description Half of the requests took no longer.
             * @example 812
             */
            p50?: number | null;
            /**
             * Format: double
             * @description 95 of a hundred took no longer.
             * @example 4100
             */
            p95?: number | null;
            /**
             * Format: double
             * @description 99 of a hundred took no longer.
             * @example 9800
             */
            p99?: number | null;
        };
        /**
         * @description The period of a budget.
         * @enum {string}
         */
        PeriodName: "day" | "month";
        /** @description A point of a line. */
        PointView: {
            /** @description When its time begins. */
            time: components["schemas"]["Time"];
            /**
             * Format: double
             * @description Null: there was nothing to measure.
             * @example 120
             */
            value?: number | null;
        };
        /** @description What a model costs, in US dollars for a million tokens. */
        PriceBody: {
            /**
             * Format: double
             * @description Input that came from no cache.
             * @example 1.25
             */
            input: number;
            /**
             * Format: double
             * @description Input that came from a cache; null: as other input.
             * @example 0.125
             */
            cached_input?: number | null;
            /**
             * Format: double
             * @description Output.
             * @example 10
             */
            output: number;
            /**
             * Format: double
             * @description Output that was reasoning; null: as other output.
             */
            reasoning?: number | null;
            long_prompt?: components["schemas"]["LongPromptBody"] | null;
        };
        /** @description A row of the table. */
        PriceView: {
            /** @example google */
            provider: string;
            /**
             * @description A model's id; `*` at the end stands for anything.
             * @example gemini-2.5-pro
             */
            model: string;
            /**
             * Format: double
             * @description Input that came from no cache.
             * @example 1.25
             */
            input: number;
            /**
             * Format: double
             * @description Input that came from a cache; null: as other input.
             * @example 0.125
             */
            cached_input?: number | null;
            /**
             * Format: double
             * @description Output.
             * @example 10
             */
            output: number;
            /**
             * Format: double
             * @description Output that was reasoning; null: as other output.
             * @example 10
             */
            reasoning?: number | null;
            long_prompt?: components["schemas"]["LongPromptBody"] | null;
            /** @description Whether keymux came with it, or an operator has set it. */
            source: components["schemas"]["SourceName"];
        };
        /** @description An upstream API. */
        ProviderView: {
            /** @example google */
            name: string;
            /**
             * @description What it speaks: `gemini`, `openai`, `perplexity` or `gigachat`.
             * @example gemini
             */
            kind: string;
            /**
             * @description Where it is reached.
             * @example https://generativelanguage.googleapis.com
             */
            base_url: string;
            /**
             * @description The model of requests that name none.
             * @example gemini-flash-latest
             */
            default_model?: string | null;
            /** @description False: this version does not speak to it. */
            in_use: boolean;
            keys: components["schemas"]["KeyCounts"];
            /** @description The models that its keys are checked with, and how they fare. */
            checked_models: components["schemas"]["CheckedModelView"][];
            /**
             * @description What is wrong with its configuration, as far as checks of its keys have shown.
             * @example [
             *       "no key has the model gemini-flsh-latest of health_check: correct it"
             *     ]
             */
            warnings: string[];
        };
        /** @description A request with its attempts. */
        RequestDetail: components["schemas"]["RequestView"] & {
            /** @description In order. */
            attempt_list: components["schemas"]["AttemptView"][];
            request_body?: components["schemas"]["BodyView"] | null;
            response_body?: components["schemas"]["BodyView"] | null;
        };
        /** @description Requests of callers. */
        RequestFigures: {
            /**
             * Format: int64
             * @description That ended in the last 60 seconds.
             * @example 42
             */
            last_minute: number;
            /**
             * Format: int64
             * @description In the last 60 minutes.
             * @example 2310
             */
            last_hour: number;
            /**
             * Format: int64
             * @description In the last 24 hours.
             * @example 51200
             */
            last_24h: number;
            /**
             * Format: double
             * @description The part of them that did not go wrong, 0 to 1; null when there were none.
             * @example 0.998
             */
            success_rate_24h?: number | null;
            latency_ms: components["schemas"]["Percentiles"];
            /**
             * Format: int64
             * @description Tokens of the last 24 hours.
             * @example 12400000
             */
            tokens_24h: number;
            /**
             * Format: double
             * @description What the last 24 hours cost, as far as models have a price.
             * @example 3.71
             */
            cost_usd_24h: number;
        };
        /** @description A request. */
        RequestView: {
            /**
             * @description What callers read as `x-keymux-request-id`.
             * @example 6gzkrb1p2nw0v
             */
            id: string;
            /** @description When it began. */
            time: components["schemas"]["Time"];
            /**
             * Format: int64
             * @description The client key; null: an anonymous caller.
             * @example 3
             */
            client_id?: number | null;
            /**
             * @description Its name, while it is there.
             * @example chat app
             */
            client?: string | null;
            /**
             * @description The shape of the request: `gemini`, `openai`, `anthropic`, `simple`.
             * @example gemini
             */
            dialect: string;
            /**
             * @description What was asked, a name from a bounded set.
             * @example streamGenerateContent
             */
            endpoint: string;
            /** @example google */
            provider?: string | null;
            /** @example gemini-2.5-flash */
            model?: string | null;
            /**
             * Format: int64
             * @description The key of the last attempt.
             * @example 17
             */
            key_id?: number | null;
            /**
             * @description Its label or its masked form, while it is there.
             * @example billing
             */
            key?: string | null;
            /**
             * Format: int32
             * @description The status that the caller got; 499 when it went away before an answer.
             * @example 200
             */
            status: number;
            /** @description Whether the answer was a stream. */
            stream: boolean;
            /**
             * @description How many attempts it took.
             * @example 2
             */
            attempts: number;
            /**
             * Format: double
             * @description From the first byte of the request to the last of the answer.
             * @example 1834.2
             */
            latency_ms: number;
            /**
             * Format: double
             * @description To the first useful byte of the answer.
             * @example 412.7
             */
            first_byte_ms?: number | null;
            tokens?: components["schemas"]["TokensView"] | null;
            /**
             * Format: double
             * @description What they cost, where the model has a price.
             * @example 0.00042
             */
            cost_usd?: number | null;
            /**
             * @description What went wrong, for example `rate_limited`; null: nothing.
             * @example rate_limited
             */
            error?: string | null;
        };
        /** @description Something that belongs to a project. */
        ResourceView: {
            /** @example google */
            provider: string;
            /**
             * @description Its name there.
             * @example files/abc-123
             */
            name: string;
            /**
             * @description What it is one of.
             * @example files
             */
            collection: string;
            /**
             * @description The project whose keys reach it; of a key without one, `key:` and its id.
             * @example team-a
             */
            project: string;
            /**
             * Format: int64
             * @description The client key that it was made with; null: a caller without one made it.
             * @example 3
             */
            client_id?: number | null;
            /**
             * @description What that client key is called; null where there is none any more.
             * @example app
             */
            client?: string | null;
            /**
             * @description The user whose client key that was.
             * @example alice
             */
            owner?: string | null;
            created_at: components["schemas"]["Time"];
            expires_at?: components["schemas"]["Time"] | null;
        };
        /**
         * @description What a user may do.
         * @enum {string}
         */
        RoleName: "admin" | "member";
        /** @description Which keys: either by id, or by filter. */
        Selection: {
            /**
             * @description Their ids.
             * @example [
             *       17,
             *       18
             *     ]
             */
            ids?: number[] | null;
            filter?: components["schemas"]["KeyFilter"] | null;
        };
        /** @description A chart. */
        SeriesView: {
            metric: components["schemas"]["Metric"];
            group_by?: components["schemas"]["GroupBy"] | null;
            /** @description When the first point begins. */
            from: components["schemas"]["Time"];
            /** @description When the last point ends. */
            to: components["schemas"]["Time"];
            /**
             * Format: int64
             * @description How long a time a point stands for.
             * @example 900
             */
            step_seconds: number;
            /** @description One, or one for each group. */
            lines: components["schemas"]["LineView"][];
        };
        /**
         * @description Who has set a value.
         * @enum {string}
         */
        SetByName: "default" | "stored" | "file" | "environment";
        /** @description One setting. */
        SettingView: components["schemas"]["FormView"] & {
            /** @example retry.max_attempts */
            name: string;
            /**
             * @description The part of the configuration that it is in.
             * @example retry
             */
            section: string;
            /** @description The value that holds now; secrets in it are masked. */
            value: unknown;
            set_by: components["schemas"]["SetByName"];
            /**
             * @description Where exactly, when it is set by a file or the environment.
             * @example keymux.yaml:12
             */
            set_at?: string | null;
            /** @description Whether it can be changed here: not when a file or the environment sets it, nor when it has no effect. */
            editable: boolean;
            /** @description False: this version does not act on it. */
            has_effect: boolean;
        };
        /** @description All settings. */
        SettingsView: {
            /** @description One by one. */
            items: components["schemas"]["SettingView"][];
        };
        /**
         * @description Where a price comes from.
         * @enum {string}
         */
        SourceName: "built_in" | "operator";
        /** @description A list of proxies. */
        SourceView: {
            /**
             * @description What it is called: its preset, its file, or the host of its URL.
             * @example lists.example.com
             */
            name: string;
            /**
             * @description `url`, `file` or `preset`.
             * @example url
             */
            kind: string;
            /**
             * @description How it is written: `text` or `json`.
             * @example text
             */
            format: string;
            /** @description Whether it was read well the last time; null: it was not read yet. */
            ok?: boolean | null;
            /**
             * @description Why it could not be read the last time. What it held before stays in force.
             * @example lists.example.com answered with status 503
             */
            problem?: string | null;
            /**
             * @description Proxies that it held when it was last read well.
             * @example 412
             */
            proxies: number;
            left_out: components["schemas"]["LeftOutView"];
            /** @description The first entries that are no proxies. */
            malformed: components["schemas"]["MalformedView"][];
            read_at?: components["schemas"]["Time"] | null;
            /** @description When it is read again. */
            next_at: components["schemas"]["Time"];
        };
        /**
         * @description How a key stands.
         * @enum {string}
         */
        Status: "active" | "cooling" | "invalid" | "disabled";
        /** @description How keymux stands now. */
        StatusView: {
            /**
             * @description `healthy`; `degraded` when no key is usable or the database does not answer; `starting`; `draining`.
             * @example healthy
             */
            status: string;
            /**
             * @description Of this program.
             * @example 0.1.0
             */
            version: string;
            /**
             * Format: int64
             * @description Since it was started.
             * @example 86400
             */
            uptime_seconds: number;
            /**
             * @description `required` or `open`: whether callers need a client key.
             * @example required
             */
            auth: string;
            keys: components["schemas"]["KeyCounts"];
            /** @description Keys by provider. */
            providers: {
                [key: string]: components["schemas"]["KeyCounts"];
            };
            requests: components["schemas"]["RequestFigures"];
            egress: components["schemas"]["EgressFigures"];
            /**
             * @description `up` or `down`: whether the database answered when it was last used.
             * @example up
             */
            database: string;
            /**
             * @description Request records that wait to be written.
             * @example 0
             */
            queued_records: number;
        };
        /** @description What a key is tested with. */
        TestRequest: {
            /**
             * @description The model, as the provider names it; left out: the first that `health_check` names, or the key alone.
             * @default null
             * @example gemini-flash-latest
             */
            model?: string | null;
        };
        /** @description What a test found. */
        TestResult: {
            /**
             * Format: int64
             * @example 17
             */
            id: number;
            /**
             * @description The model that it was tested with; null: the key alone.
             * @example gemini-flash-latest
             */
            model?: string | null;
            /** @description Whether the provider takes the key, and lets it use the model. */
            works: boolean;
            /**
             * Format: int32
             * @description The status that the provider answered with; null: no answer.
             * @example 400
             */
            status?: number | null;
            /**
             * @description What the answer means, for example `ok`, `key_invalid`, `network`.
             * @example key_invalid
             */
            class: string;
            /**
             * @description More exactly.
             * @example api_key_invalid
             */
            reason: string;
            /**
             * Format: double
             * @description How long the provider took, in milliseconds.
             * @example 84.2
             */
            latency_ms: number;
        };
        /** @description Which keys, and with which model. */
        TestSelection: {
            /**
             * @description Their ids.
             * @example [
             *       17,
             *       18
             *     ]
             */
            ids?: number[] | null;
            filter?: components["schemas"]["KeyFilter"] | null;
            /**
             * @description The model, as the provider names it; left out: the first that the provider's `health_check` names, or the key
             *     alone.
             * @example gemini-flash-latest
             */
            model?: string | null;
        };
        /**
         * Format: date-time
         * @example 2026-11-20T16:00:00.000Z
         */
        Time: string;
        /** @description Tokens of one answer. */
        TokensView: {
            /**
             * Format: int32
             * @description Input, cached tokens included.
             * @example 1200
             */
            prompt: number;
            /**
             * Format: int32
             * @description Output, reasoning included.
             * @example 340
             */
            output: number;
            /**
             * Format: int32
             * @description The part of the output that was reasoning.
             * @example 50
             */
            reasoning: number;
            /**
             * Format: int32
             * @description The part of the input that came from a cache.
             * @example 0
             */
            cached: number;
            /**
             * Format: int32
             * @description Tool results that were fed back.
             * @example 0
             */
            tool: number;
            /**
             * Format: int32
             * @description The provider's own total.
             * @example 1540
             */
            total: number;
        };
        /** @description Which keys, and what changes about them. */
        UpdateSelection: {
            /**
             * @description Their ids.
             * @example [
             *       17,
             *       18
             *     ]
             */
            ids?: number[] | null;
            filter?: components["schemas"]["KeyFilter"] | null;
            /** @description What changes. */
            set: components["schemas"]["KeyChange"];
        };
        /** @description What a client key has used, and when that is forgotten. */
        UsageView: {
            /** @description Requests under way. */
            concurrent: components["schemas"]["GaugeView"];
            /** @description Requests of the last minute. */
            rpm: components["schemas"]["GaugeView"];
            /** @description Requests of the UTC day. */
            rpd: components["schemas"]["GaugeView"];
            /** @description Tokens of the last minute. */
            tpm: components["schemas"]["GaugeView"];
            /** @description Tokens of the UTC day. */
            tpd: components["schemas"]["GaugeView"];
            budget: components["schemas"]["BudgetView"];
        };
        /** @description What changes about a user; what is left out stays. */
        UserChange: {
            /**
             * @description Another name to log in by.
             * @example mei
             */
            username?: string | null;
            /**
             * Format: password
             * @description A new password ends the user's sessions.
             */
            password?: string | null;
            role?: components["schemas"]["RoleName"] | null;
            /** @description False ends the user's sessions. */
            enabled?: boolean | null;
        };
        /** @description Somebody who can log in. */
        UserView: {
            /**
             * Format: int64
             * @example 2
             */
            id: number;
            /**
             * @description The name to log in by.
             * @example mei
             */
            username: string;
            /** @description What they may do: everything, or only what concerns their own things. */
            role: components["schemas"]["RoleName"];
            /** @description False: they cannot log in. */
            enabled: boolean;
            created_at: components["schemas"]["Time"];
            /** @description When name, role or password were last set. */
            updated_at: components["schemas"]["Time"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_activity: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Lines of this user, client key or program. */
                actor?: string;
                /**
                 * @description Lines of this action.
                 * @example REVEAL
                 */
                action?: string;
                /**
                 * @description Lines about this kind of thing.
                 * @example keys
                 */
                resource?: string;
                /** @description Lines about this one. */
                resource_id?: string;
                /** @description Lines about this provider. */
                provider?: string;
                /** @description Not before this instant. */
                from?: components["schemas"]["Time"];
                /** @description Before this instant. */
                to?: components["schemas"]["Time"];
                /** @description Lines whose details hold this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ActivityView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_clients: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Those whose name holds this text. */
                q?: string;
                /**
                 * @description Those of this user.
                 * @example mei
                 */
                owner?: string;
                /** @description Those that are enabled, or that are not. */
                enabled?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ClientView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    create_client: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClientInput"];
            };
        };
        responses: {
            /** @description The key is made, and callers are let in with it. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedClient"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The given secret is a client key already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_client: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key, without its secret. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClientView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such client key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    update_client: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClientInput"];
            };
        };
        responses: {
            /** @description The key as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClientView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such client key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The configuration states it. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    delete_client: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such client key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The configuration states it. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_bans: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Rows that hold this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. Orders: ip, created_at. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_BanView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    create_ban: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewBan"];
            };
        };
        responses: {
            /** @description The ban is in force. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BanView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    delete_ban: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The address, or the network, as the list shows it.
                 * @example 203.0.113.9
                 */
                ip: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ban is lifted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such ban. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_egress: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Rows that hold this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_EgressView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    reset_egress: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The proxy. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How the proxy stands now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EgressView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such proxy. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    test_egress: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The proxy. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How the proxy stands now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EgressView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such proxy. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is nothing to ask for through a proxy. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_sources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, in the order of the settings. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SourceView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    refresh_sources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lists, once they are read. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SourceView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    watch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events, until the caller leaves or keymux stops. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_jobs: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Rows that hold this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Those that go on, and the last hundred that are over. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_JobView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    cancel_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It ends soon, or had ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_checks: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /**
                 * @description Of keys of this provider.
                 * @example google
                 */
                provider?: string;
                /**
                 * @description With this model; empty: of keys alone.
                 * @example gemini-flash-latest
                 */
                model?: string;
                /**
                 * @description Of the key with this id.
                 * @example 17
                 */
                key_id?: number;
                /** @description Those that found that it works, or that it does not; those not made yet are neither. */
                works?: boolean;
                /**
                 * @description Answered with this status: `403`, `4xx`, or `none` for no answer.
                 * @example 4xx
                 */
                status?: string;
                /** @description Of this class, for example `key_restricted`. */
                class?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them, by key. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_CheckView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_key_files: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /**
                 * @description Files of this provider.
                 * @example google
                 */
                provider?: string;
                /** @description Files that stand so. */
                state?: "read" | "unreadable" | "left_out";
                /** @description Files whose name holds this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them, by provider and name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_KeyFileView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_keys: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /**
                 * @description Keys of this provider.
                 * @example google
                 */
                provider?: string;
                /** @description Keys that stand so. */
                status?: components["schemas"]["Status"];
                /** @description Keys that are out for this reason, for example `rate_limited` or `invalid`. */
                reason?: string;
                /** @description Keys of this project. */
                project?: string;
                /** @description Keys with this label. */
                label?: string;
                /** @description Keys of this user; `none`: those of the shared pool. */
                owner?: string;
                /** @description Keys that came from there: `config`, `env`, `file`, `admin`. */
                source?: string;
                /**
                 * @description Keys that this file of `keys_dir` states.
                 * @example team-a.txt
                 */
                file?: string;
                /** @description Keys whose label, project, id or masked form holds this text. A whole key finds itself. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_KeyView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    create_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKey"];
            };
        };
        responses: {
            /** @description The key is in use. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The provider has this key already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    bulk_add: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKeys"];
            };
        };
        responses: {
            /** @description What became of each. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AddResult"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    bulk_delete: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Selection"];
            };
        };
        responses: {
            /** @description They are gone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResult"];
                };
            };
            /** @description There are many: a job does it. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description An id is not there. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    bulk_reset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Selection"];
            };
        };
        responses: {
            /** @description They are as new. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResult"];
                };
            };
            /** @description There are many: a job does it. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description An id is not there. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    bulk_test: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TestSelection"];
            };
        };
        responses: {
            /** @description A job asks for one after the other. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description An id is not there. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    bulk_update: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateSelection"];
            };
        };
        responses: {
            /** @description They are changed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResult"];
                };
            };
            /** @description There are many: a job does it. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description An id is not there. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    export_keys: {
        parameters: {
            query?: {
                /** @description The form of the file. */
                format?: "text" | "csv" | "jsonl";
                /**
                 * @description Keys of this provider.
                 * @example google
                 */
                provider?: string;
                /** @description Keys that stand so. */
                status?: components["schemas"]["Status"];
                /** @description Keys that are out for this reason, for example `rate_limited` or `invalid`. */
                reason?: string;
                /** @description Keys of this project. */
                project?: string;
                /** @description Keys with this label. */
                label?: string;
                /** @description Keys of this user; `none`: those of the shared pool. */
                owner?: string;
                /** @description Keys that came from there: `config`, `env`, `file`, `admin`. */
                source?: string;
                /**
                 * @description Keys that this file of `keys_dir` states.
                 * @example team-a.txt
                 */
                file?: string;
                /** @description Keys whose label, project, id or masked form holds this text. A whole key finds itself. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                    "text/csv": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_standings: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /**
                 * @description Keys of this provider.
                 * @example google
                 */
                provider?: string;
                /** @description Keys that stand so. */
                status?: components["schemas"]["Status"];
                /** @description Keys that are out for this reason, for example `rate_limited` or `invalid`. */
                reason?: string;
                /** @description Keys of this project. */
                project?: string;
                /** @description Keys with this label. */
                label?: string;
                /** @description Keys of this user; `none`: those of the shared pool. */
                owner?: string;
                /** @description Keys that came from there: `config`, `env`, `file`, `admin`. */
                source?: string;
                /**
                 * @description Keys that this file of `keys_dir` states.
                 * @example team-a.txt
                 */
                file?: string;
                /** @description Keys whose label, project, id or masked form holds this text. A whole key finds itself. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_KeyStanding"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyDetail"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    delete_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone; requests under way with it go on. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The configuration states it. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    update_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyChange"];
            };
        };
        responses: {
            /** @description The key as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The configuration states it. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_checks_of_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_CheckView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    reset_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key as it stands now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_standing: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key as it stands now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyStanding"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    test_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TestRequest"] | null;
            };
        };
        responses: {
            /** @description What the provider said. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestResult"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_live_sessions: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Rows that hold this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. Orders: since. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_LiveSessionView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    end_live_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The session, as the list shows it.
                 * @example 0197a3c1d2e40001
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session ends. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such session. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    log_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description Logged in; the cookie `keymux_session` is set too. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoggedIn"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user name or the password is wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 16 KiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many failures; `Retry-After` says how long to wait. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many logins at once, or no database; `Retry-After` says how long to wait. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    log_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session is over. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user of this session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    change_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPassword"];
            };
        };
        responses: {
            /** @description The new password holds from now on. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The configuration fixes the password. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 16 KiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many wrong passwords; `Retry-After` says how long to wait. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_models: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /**
                 * @description Models of this provider, and what is known of them there.
                 * @example google
                 */
                provider?: string;
                /** @description Models whose name holds this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them, by id. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ModelView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    reset_model: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ModelReset"];
            };
        };
        responses: {
            /** @description It may be asked for again. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelResetResult"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_prices: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Rows that hold this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them, by provider and model. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_PriceView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    put_price: {
        parameters: {
            query: {
                /**
                 * @description The model's id; `*` at the end stands for anything.
                 * @example gemini-2.5-pro
                 */
                model: string;
            };
            header?: never;
            path: {
                /**
                 * @description The provider.
                 * @example google
                 */
                provider: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PriceBody"];
            };
        };
        responses: {
            /** @description The price holds for requests that end from now on. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such provider. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    delete_price: {
        parameters: {
            query: {
                /**
                 * @description The model's id; `*` at the end stands for anything.
                 * @example gemini-2.5-pro
                 */
                model: string;
            };
            header?: never;
            path: {
                /**
                 * @description The provider.
                 * @example google
                 */
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operator's price is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No operator has set this price. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_providers: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Rows that hold this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ProviderView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_requests: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Begun from then on. */
                from?: components["schemas"]["Time"];
                /** @description Begun before then. */
                to?: components["schemas"]["Time"];
                /**
                 * @description Of this client key, by id.
                 * @example 3
                 */
                client?: number;
                /**
                 * @description To this provider.
                 * @example google
                 */
                provider?: string;
                /**
                 * @description For this model.
                 * @example gemini-2.5-flash
                 */
                model?: string;
                /**
                 * @description Last tried with this key, by id.
                 * @example 17
                 */
                key?: number;
                /**
                 * @description Answered with this status, or with one of a class.
                 * @example 4xx
                 */
                status?: string;
                /** @description Only those that went wrong. */
                failed?: boolean;
                /** @description With this text in model, endpoint, error or attempts. */
                q?: string;
                /** @description The form of the answer; without it, a page. */
                format?: "json" | "csv" | "jsonl";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page, or a file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_RequestView"];
                    "text/csv": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_request: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The request's id.
                 * @example 6gzkrb1p2nw0v
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestDetail"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such request, or no more. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_resources: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /**
                 * @description Of this provider.
                 * @example google
                 */
                provider?: string;
                /**
                 * @description Of this kind.
                 * @example files
                 */
                collection?: string;
                /**
                 * @description Of this project.
                 * @example team-a
                 */
                project?: string;
                /** @description Made with the client key of this id. */
                client_id?: number;
                /** @description Those whose name holds this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ResourceView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    forget_resource: {
        parameters: {
            query: {
                /**
                 * @description Of which provider.
                 * @example google
                 */
                provider: string;
                /**
                 * @description Its name there.
                 * @example files/abc-123
                 */
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is forgotten. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description It is not known. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingsView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    update_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Values by name. */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "retry.max_attempts": 3,
                 *       "pool.strategy": null
                 *     }
                 */
                "application/json": {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description All settings as they are now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingsView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A file or the environment fixes one of them. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_capacity: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The shared pool's, by model. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CapacityView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_series: {
        parameters: {
            query?: {
                /** @description The figure. */
                metric?: "requests" | "failed" | "success_rate" | "tokens" | "prompt_tokens" | "output_tokens" | "reasoning_tokens" | "cached_tokens" | "cost_usd" | "latency_mean" | "latency_p50" | "latency_p95" | "latency_p99" | "first_byte_p50" | "first_byte_p95" | "first_byte_p99";
                /**
                 * @description How long back: a number and `m`, `h` or `d`.
                 * @example 24h
                 */
                range?: string;
                /** @description Instead of `range`: from when. */
                from?: components["schemas"]["Time"];
                /** @description Instead of now: until when. */
                to?: components["schemas"]["Time"];
                /** @description A line for each; the twelve with the most requests. Without it, one line for all. */
                group_by?: "provider" | "model" | "client" | "outcome" | "key";
                /**
                 * @description Only of what came with this client key, by id; told apart by provider, model or client then.
                 * @example 3
                 */
                client?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description For members: of their own client keys. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeriesView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description For members: their own keys and requests. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatusView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_users: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /** @description Rows that hold this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. Orders: id, username, created_at. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_UserView"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    create_user: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            /** @description The user is made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The name is taken. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    delete_user: {
        parameters: {
            query?: {
                /** @description True: their keys and client keys are deleted too. Else a user who owns some is not deleted. */
                delete_owned?: boolean;
            };
            header?: never;
            path: {
                /** @description The user. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user is gone, and their sessions are over. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such user. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user owns something, or is the last administrator. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    update_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description The user as they are now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserView"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Nobody is logged in. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The user may not do that, or the CSRF token is missing. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such user. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The name is taken, it is the last administrator, or the configuration fixes it. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_account_activity: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /**
                 * @description Lines about this provider.
                 * @example google
                 */
                provider?: string;
                /**
                 * @description Lines of this action: `ADD`, `UPDATE`, `DELETE`, `IMPORT`, `REVEAL`, `SELECT`, `UNSELECT`, `FAILOVER_EXHAUSTED`,
                 *     `RETIRE`, `RECOVER`, …
                 * @example SELECT
                 */
                action?: string;
                /**
                 * @description From this day (UTC) or instant on.
                 * @example 2026-11-20
                 */
                from_date?: string;
                /**
                 * @description Up to this day (UTC) or instant, which is still meant.
                 * @example 2026-11-21T16:00:00Z
                 */
                to_date?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ActivityView"];
                };
            };
            /** @description No client key is shown, or it is unknown, disabled or expired. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The client key has no owner, or may not be used from this address. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description Too many unknown client keys were shown from this address; `Retry-After` says when to come back. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
        };
    };
    list_account_keys: {
        parameters: {
            query?: {
                /** @description Rows of the page: 1 to 500. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description The field to sort by; with `-` in front, the largest first.
                 * @example -created_at
                 */
                sort?: string;
                /**
                 * @description Keys of this provider.
                 * @example google
                 */
                provider?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AccountKey"];
                };
            };
            /** @description No client key is shown, or it is unknown, disabled or expired. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The client key has no owner, or may not be used from this address. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description Too many unknown client keys were shown from this address; `Retry-After` says when to come back. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
        };
    };
    create_account_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAccountKey"];
            };
        };
        responses: {
            /** @description The key is in use. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountKey"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description No client key is shown, or it is unknown, disabled or expired. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The client key has no owner, or may not be used from this address. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The provider has this key already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description Too many unknown client keys were shown from this address; `Retry-After` says when to come back. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
        };
    };
    delete_account_keys: {
        parameters: {
            query: {
                /**
                 * @description All keys of this provider; `provider` is taken too.
                 * @example google
                 */
                provider_name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are gone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountDeleted"];
                };
            };
            /** @description No client key is shown, or it is unknown, disabled or expired. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The client key has no owner, or may not be used from this address. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description Too many unknown client keys were shown from this address; `Retry-After` says when to come back. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
        };
    };
    import_account_keys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountImport"];
            };
        };
        responses: {
            /** @description What became of each. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AddResult"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description No client key is shown, or it is unknown, disabled or expired. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The client key has no owner, or may not be used from this address. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description Too many unknown client keys were shown from this address; `Retry-After` says when to come back. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
        };
    };
    get_account_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The key.
                 * @example 17
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountKeyDetail"];
                };
            };
            /** @description No client key is shown, or it is unknown, disabled or expired. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The client key has no owner, or may not be used from this address. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The owner has no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description Too many unknown client keys were shown from this address; `Retry-After` says when to come back. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
        };
    };
    delete_account_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The key.
                 * @example 17
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone; requests under way with it go on. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No client key is shown, or it is unknown, disabled or expired. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The client key has no owner, or may not be used from this address. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The owner has no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The configuration states it. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description Too many unknown client keys were shown from this address; `Retry-After` says when to come back. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
        };
    };
    update_account_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The key.
                 * @example 17
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountKeyChange"];
            };
        };
        responses: {
            /** @description The key as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountKey"];
                };
            };
            /** @description The body is no JSON. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description No client key is shown, or it is unknown, disabled or expired. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The client key has no owner, or may not be used from this address. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The owner has no such key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The configuration states it. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The body is larger than 32 MiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The body is not `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description A value is wrong; `field` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description Too many unknown client keys were shown from this address; `Retry-After` says when to come back. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
            /** @description The database does not answer now; nothing was changed. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailBody"];
                };
            };
        };
    };
}
