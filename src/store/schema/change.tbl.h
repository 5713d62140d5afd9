SCHEMA(1, MAIN, "create table change (g INT primary key, kind INT not null, key TEXT not null) STRICT")
