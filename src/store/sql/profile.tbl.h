/* Statements of security profiles: see store/schema/profile.tbl.h for the tables. Lists page by key. */
STATEMENT(profile_get, MAIN, "t", "tiii", "select members, version, created, modified from profile where name = ?1")
STATEMENT(profile_add, MAIN, "tti", "",
	"insert into profile (name, members, version, created, modified) values (?1, ?2, 1, ?3, ?3)")
STATEMENT(profile_set, MAIN, "tti", "",
	"update profile set members = ?2, version = version + 1, modified = ?3 where name = ?1")
STATEMENT(profile_delete, MAIN, "t", "", "delete from profile where name = ?1")
STATEMENT(profile_list, MAIN, "ti", "t", "select name from profile where name > ?1 order by name limit ?2")
STATEMENT(profile_list_metric, MAIN, "tti", "t",
	"select profile from profile_metric where metric = ?1 and profile > ?2 order by profile limit ?3")

STATEMENT(profile_metric_add, MAIN, "tt", "",
	"insert into profile_metric (metric, profile) values (?1, ?2) on conflict (metric, profile) do nothing")
STATEMENT(profile_metric_delete, MAIN, "t", "", "delete from profile_metric where profile = ?1")

STATEMENT(profile_target_add, MAIN, "tii", "",
	"insert into profile_target (profile, kind, num) values (?1, ?2, ?3) on conflict (profile, kind, num) do nothing")
STATEMENT(profile_target_delete, MAIN, "tii", "",
	"delete from profile_target where profile = ?1 and kind = ?2 and num = ?3")
STATEMENT(profile_target_delete_all, MAIN, "t", "", "delete from profile_target where profile = ?1")
STATEMENT(profile_target_count, MAIN, "ii", "i", "select count(*) from profile_target where kind = ?1 and num = ?2")
STATEMENT(profile_targets, MAIN, "tiii", "iit",
	"select t.kind, t.num, coalesce(g.name, '') from profile_target t left join thing_group g on g.num = t.num "
	"where t.profile = ?1 and (t.kind > ?2 or (t.kind = ?2 and t.num > ?3)) and (t.num = 0 or g.name is not null) "
	"order by t.kind, t.num limit ?4")

/* Profiles of a target; with the last number, of its group and all groups above it. */
STATEMENT(profile_for_target, MAIN, "iiti", "tiit",
	"select t.profile, t.kind, t.num, coalesce(g.name, '') from profile_target t "
	"left join thing_group g on g.num = t.num "
	"where t.kind = ?1 and t.num = ?2 and t.profile > ?3 order by t.profile limit ?4")
STATEMENT(profile_for_group_chain, MAIN, "itii", "tiit",
	"select t.profile, t.kind, t.num, g.name from group_above a join profile_target t on t.kind = 8 and t.num = a.above "
	"join thing_group g on g.num = t.num "
	"where a.num = ?1 and (t.profile > ?2 or (t.profile = ?2 and t.num > ?3)) order by t.profile, t.num limit ?4")

/* The configuration: profiles with a target, by name; targets in the same order. */
STATEMENT(profile_config, MAIN, "", "tt",
	"select p.name, p.members from profile p where exists "
	"(select 1 from profile_target t where t.profile = p.name) order by p.name")
STATEMENT(profile_config_targets, MAIN, "", "tii",
	"select t.profile, t.kind, t.num from profile_target t where t.num = 0 "
	"or exists (select 1 from thing_group g where g.num = t.num) order by t.profile, t.kind, t.num")
