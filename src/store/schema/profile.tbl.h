/* Security profiles (registry/profile.h). Times are milliseconds since the epoch.
 *
 *   profile.members       what Create and Update gave, compact JSON by member name, nothing filled in
 *   profile_target        kind: 1 all/things, 2 all/registered-things, 4 all/unregistered-things, 8 a thing group (num is
 *                         thing_group.num; else 0). Rows of a group that is gone are skipped: its number never comes again
 *   profile_metric        the metrics a profile names in behaviors and retained lists, for ListSecurityProfiles
 */
SCHEMA(1, MAIN, "create table profile ("
	"name TEXT not null primary key, members TEXT not null, version INT not null, created INT not null, "
	"modified INT not null) STRICT")
SCHEMA(1, MAIN, "create table profile_target ("
	"profile TEXT not null, kind INT not null, num INT not null, primary key (profile, kind, num)) STRICT")
SCHEMA(1, MAIN, "create index profile_target_kind on profile_target (kind, num, profile)")
SCHEMA(1, MAIN, "create table profile_metric ("
	"metric TEXT not null, profile TEXT not null, primary key (metric, profile)) STRICT")
SCHEMA(1, MAIN, "create index profile_metric_profile on profile_metric (profile)")
