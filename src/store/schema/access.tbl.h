/* Access keys and the administrator trail (api/access.h, api/trail.h). Times are milliseconds since the epoch.
 * access_key.secret is sealed under a key that is not in the store (api/seal.h, S24). */
SCHEMA(1, MAIN,
       "create table access_key (id TEXT not null primary key, role TEXT not null, secret BLOB not null,"
       " created INT not null) STRICT")
SCHEMA(1, MAIN,
       "create table trail (id TEXT not null primary key, at INT not null, key_id TEXT not null, address TEXT not null,"
       " operation TEXT not null, target TEXT not null, result TEXT not null, detail TEXT not null) STRICT")
SCHEMA(1, MAIN, "create index trail_at on trail (at, id)")
