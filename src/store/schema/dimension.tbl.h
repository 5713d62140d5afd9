/* Dimensions (registry/dimension.h). Times are milliseconds since the epoch; filters: a compact JSON list. */
SCHEMA(1, MAIN, "create table dimension ("
	"name TEXT not null primary key, filters TEXT not null, token TEXT not null, created INT not null, "
	"modified INT not null) STRICT")
