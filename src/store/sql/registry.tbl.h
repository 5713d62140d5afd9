/* The registry's statements: see store/sql.h for the form of a row, store/schema/registry.tbl.h for the tables. Lists page by key. */

/* Numbers that are never given twice. */
STATEMENT(counter_next, MAIN, "t", "",
	"insert into registry_counter (name, value) values (?1, 1) "
	"on conflict (name) do update set value = registry_counter.value + 1")
STATEMENT(counter_get, MAIN, "t", "i", "select value from registry_counter where name = ?1")

/* Things. */
STATEMENT(thing_get, MAIN, "t", "tttii",
	"select id, attributes, billing_group, version, created from thing where name = ?1")
STATEMENT(thing_add, MAIN, "tttti", "",
	"insert into thing (name, id, attributes, billing_group, version, created) values (?1, ?2, ?3, ?4, 1, ?5)")
STATEMENT(thing_set_attributes, MAIN, "tt", "",
	"update thing set attributes = ?2, version = version + 1 where name = ?1")
STATEMENT(thing_delete, MAIN, "t", "", "delete from thing where name = ?1")
STATEMENT(thing_list, MAIN, "ti", "tti",
	"select name, attributes, version from thing where name > ?1 order by name limit ?2")

/* Thing groups. */
STATEMENT(group_get, MAIN, "t", "itiittii",
	"select num, id, parent, depth, description, attributes, version, created from thing_group where name = ?1")
STATEMENT(group_name, MAIN, "i", "t", "select name from thing_group where num = ?1")
STATEMENT(group_add, MAIN, "ittiitti", "",
	"insert into thing_group (num, name, id, parent, depth, description, attributes, version, created) "
	"values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8)")
STATEMENT(group_set, MAIN, "itt", "",
	"update thing_group set description = ?2, attributes = ?3, version = version + 1 where num = ?1")
STATEMENT(group_delete, MAIN, "i", "", "delete from thing_group where num = ?1")
STATEMENT(group_children, MAIN, "i", "i", "select count(*) from thing_group where parent = ?1")
STATEMENT(group_above_self, MAIN, "i", "", "insert into group_above (num, above) values (?1, ?1)")
STATEMENT(group_above_parent, MAIN, "ii", "",
	"insert into group_above (num, above) select ?1, above from group_above where num = ?2")
STATEMENT(group_above_delete, MAIN, "i", "", "delete from group_above where num = ?1")
STATEMENT(group_ancestors, MAIN, "i", "t",
	"select g.name from group_above a join thing_group g on g.num = a.above "
	"where a.num = ?1 and a.above <> ?1 order by g.depth")
STATEMENT(group_attributes_above, MAIN, "t", "t",
	"select g.attributes from thing_group own join group_above a on a.num = own.num "
	"join thing_group g on g.num = a.above where own.name = ?1")
STATEMENT(group_list, MAIN, "ttti", "t",
	"select name from thing_group where name > ?1 and name >= ?2 and name < ?3 order by name limit ?4")
STATEMENT(group_list_children, MAIN, "tttii", "t",
	"select name from thing_group where name > ?1 and name >= ?2 and name < ?3 and parent = ?5 "
	"order by name limit ?4")
STATEMENT(group_list_below, MAIN, "tttii", "t",
	"select g.name from group_above a join thing_group g on g.num = a.num where g.name > ?1 and g.name >= ?2 "
	"and g.name < ?3 and a.above = ?5 and a.num <> ?5 order by g.name limit ?4")

/* Things in groups. The root of a hierarchy has its smallest number. */
STATEMENT(member_add, MAIN, "ti", "",
	"insert into group_member (thing, num) values (?1, ?2) on conflict (thing, num) do nothing")
STATEMENT(member_delete, MAIN, "ti", "", "delete from group_member where thing = ?1 and num = ?2")
STATEMENT(member_delete_thing, MAIN, "t", "", "delete from group_member where thing = ?1")
STATEMENT(member_delete_group, MAIN, "i", "", "delete from group_member where num = ?1")
STATEMENT(member_has, MAIN, "ti", "i", "select count(*) from group_member where thing = ?1 and num = ?2")
STATEMENT(member_count, MAIN, "t", "i", "select count(*) from group_member where thing = ?1")
STATEMENT(member_same_hierarchy, MAIN, "ti", "t",
	"select g.name from group_member m join group_above a on a.num = m.num join thing_group g on g.num = m.num "
	"where m.thing = ?1 and a.above = (select min(above) from group_above where num = ?2) order by g.name limit 1")
STATEMENT(member_groups, MAIN, "tti", "t",
	"select g.name from group_member m join thing_group g on g.num = m.num where m.thing = ?1 and g.name > ?2 "
	"order by g.name limit ?3")
STATEMENT(member_things, MAIN, "iti", "t",
	"select thing from group_member where num = ?1 and thing > ?2 order by thing limit ?3")
STATEMENT(member_things_below, MAIN, "iti", "t",
	"select distinct m.thing from group_above a join group_member m on m.num = a.num "
	"where a.above = ?1 and m.thing > ?2 order by m.thing limit ?3")

/* Certificates. */
STATEMENT(certificate_get, MAIN, "t", "ttiiiiit",
	"select status, mode, not_before, not_after, created, modified, version, generation_id "
	"from certificate where id = ?1")
STATEMENT(certificate_pem, MAIN, "t", "t", "select pem from certificate where id = ?1")
STATEMENT(certificate_add, MAIN, "ttttttttttiiiiit", "",
	"insert into certificate (id, status, pem, mode, subject, issuer, serial, ski, aki, key_type, key_bits, is_ca, "
	"not_before, not_after, created, modified, version, generation_id) values "
	"(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15, 1, ?16)")
STATEMENT(certificate_set_status, MAIN, "tti", "",
	"update certificate set status = ?2, modified = ?3, version = version + 1 where id = ?1")
STATEMENT(certificate_delete, MAIN, "t", "", "delete from certificate where id = ?1")
STATEMENT(certificate_facts_add, MAIN, "tb", "", "insert into certificate_facts (certificate, facts) values (?1, ?2)")
STATEMENT(certificate_facts_get, MAIN, "t", "b", "select facts from certificate_facts where certificate = ?1")
STATEMENT(certificate_facts_delete, MAIN, "t", "", "delete from certificate_facts where certificate = ?1")
STATEMENT(certificate_list_up, MAIN, "iti", "ttti",
	"select id, status, mode, created from certificate where (created, id) > (?1, ?2) order by created, id limit ?3")
STATEMENT(certificate_list_down, MAIN, "iti", "ttti",
	"select id, status, mode, created from certificate where (created, id) < (?1, ?2) "
	"order by created desc, id desc limit ?3")

/* Policies. */
STATEMENT(policy_get, MAIN, "t", "iiiit",
	"select default_version, newest_version, created, modified, generation_id from policy where name = ?1")
STATEMENT(policy_default, MAIN, "t", "it",
	"select v.version, v.document from policy p "
	"join policy_version v on v.policy = p.name and v.version = p.default_version where p.name = ?1")
STATEMENT(policy_add, MAIN, "tit", "",
	"insert into policy (name, default_version, newest_version, created, modified, generation_id) "
	"values (?1, 1, 1, ?2, ?2, ?3)")
STATEMENT(policy_set_newest, MAIN, "tii", "", "update policy set newest_version = ?2, modified = ?3 where name = ?1")
STATEMENT(policy_set_default, MAIN, "tii", "", "update policy set default_version = ?2, modified = ?3 where name = ?1")
STATEMENT(policy_delete, MAIN, "t", "", "delete from policy where name = ?1")
STATEMENT(policy_list_up, MAIN, "iti", "ti",
	"select name, created from policy where (created, name) > (?1, ?2) order by created, name limit ?3")
STATEMENT(policy_list_down, MAIN, "iti", "ti",
	"select name, created from policy where (created, name) < (?1, ?2) order by created desc, name desc limit ?3")
STATEMENT(policy_version_get, MAIN, "ti", "ti",
	"select document, created from policy_version where policy = ?1 and version = ?2")
STATEMENT(policy_version_add, MAIN, "titbi", "",
	"insert into policy_version (policy, version, document, program, created) values (?1, ?2, ?3, ?4, ?5)")
STATEMENT(policy_version_count, MAIN, "t", "i", "select count(*) from policy_version where policy = ?1")
STATEMENT(policy_version_list, MAIN, "t", "ii",
	"select version, created from policy_version where policy = ?1 order by version desc")
STATEMENT(policy_version_delete, MAIN, "ti", "", "delete from policy_version where policy = ?1 and version = ?2")

/* What policies are attached to. */
STATEMENT(attachment_add, MAIN, "ttti", "",
	"insert into policy_attachment (target_kind, target, policy, created) values (?1, ?2, ?3, ?4) "
	"on conflict (target_kind, target, policy) do nothing")
STATEMENT(attachment_delete, MAIN, "ttt", "",
	"delete from policy_attachment where target_kind = ?1 and target = ?2 and policy = ?3")
STATEMENT(attachment_delete_target, MAIN, "tt", "",
	"delete from policy_attachment where target_kind = ?1 and target = ?2")
STATEMENT(attachment_count_target, MAIN, "tt", "i",
	"select count(*) from policy_attachment where target_kind = ?1 and target = ?2")
STATEMENT(attachment_count_policy, MAIN, "t", "i", "select count(*) from policy_attachment where policy = ?1")
STATEMENT(attachment_policies, MAIN, "ttti", "t",
	"select policy from policy_attachment where target_kind = ?1 and target = ?2 and policy > ?3 "
	"order by policy limit ?4")
/* cross join: SQLite takes the tables in this order, and so does not begin with all attachments. */
STATEMENT(attachment_policies_above, MAIN, "tti", "t",
	"select distinct p.policy from thing_group own cross join group_above a cross join thing_group g "
	"cross join policy_attachment p where own.name = ?1 and a.num = own.num and g.num = a.above "
	"and p.target_kind = 'thinggroup' and p.target = g.name and p.policy > ?2 order by p.policy limit ?3")
STATEMENT(attachment_targets, MAIN, "ttti", "tt",
	"select target_kind, target from policy_attachment where policy = ?1 and (target_kind, target) > (?2, ?3) "
	"order by target_kind, target limit ?4")
STATEMENT(attachment_policies_up, MAIN, "titi", "ti",
	"select policy, created from policy_attachment where target_kind = 'cert' and target = ?1 "
	"and (created, policy) > (?2, ?3) order by created, policy limit ?4")
STATEMENT(attachment_policies_down, MAIN, "titi", "ti",
	"select policy, created from policy_attachment where target_kind = 'cert' and target = ?1 "
	"and (created, policy) < (?2, ?3) order by created desc, policy desc limit ?4")
STATEMENT(attachment_principals_up, MAIN, "titi", "ti",
	"select target, created from policy_attachment where policy = ?1 and target_kind = 'cert' "
	"and (created, target) > (?2, ?3) order by created, target limit ?4")
STATEMENT(attachment_principals_down, MAIN, "titi", "ti",
	"select target, created from policy_attachment where policy = ?1 and target_kind = 'cert' "
	"and (created, target) < (?2, ?3) order by created desc, target desc limit ?4")

/* Certificates of things. A filter on the type is a range of is_exclusive: 0-0, 1-1 or 0-1. */
STATEMENT(principal_add, MAIN, "tti", "",
	"insert into thing_principal (thing, certificate, is_exclusive) values (?1, ?2, ?3) "
	"on conflict (thing, certificate) do update set is_exclusive = excluded.is_exclusive")
STATEMENT(principal_delete, MAIN, "tt", "", "delete from thing_principal where thing = ?1 and certificate = ?2")
STATEMENT(principal_get, MAIN, "tt", "i",
	"select is_exclusive from thing_principal where thing = ?1 and certificate = ?2")
STATEMENT(principal_count_thing, MAIN, "t", "i", "select count(*) from thing_principal where thing = ?1")
STATEMENT(principal_count_certificate, MAIN, "t", "i",
	"select count(*) from thing_principal where certificate = ?1")
STATEMENT(principal_other_thing, MAIN, "tt", "ti",
	"select thing, is_exclusive from thing_principal where certificate = ?1 and thing <> ?2 order by thing limit 1")
STATEMENT(principal_list_certificates, MAIN, "ttiii", "ti",
	"select certificate, is_exclusive from thing_principal where thing = ?1 and certificate > ?2 "
	"and is_exclusive between ?3 and ?4 order by certificate limit ?5")
STATEMENT(principal_list_things, MAIN, "ttiii", "ti",
	"select thing, is_exclusive from thing_principal where certificate = ?1 and thing > ?2 "
	"and is_exclusive between ?3 and ?4 order by thing limit ?5")

/* Logging. */
STATEMENT(logging_get, MAIN, "", "ttit",
	"select role_arn, default_level, is_disabled, events from logging_options where one = 1")
STATEMENT(logging_set, MAIN, "ttit", "",
	"insert into logging_options (one, role_arn, default_level, is_disabled, events) values (1, ?1, ?2, ?3, ?4) "
	"on conflict (one) do update set role_arn = excluded.role_arn, default_level = excluded.default_level, "
	"is_disabled = excluded.is_disabled, events = excluded.events")
STATEMENT(logging_level_set, MAIN, "ttt", "",
	"insert into logging_level (target_type, target_name, level) values (?1, ?2, ?3) "
	"on conflict (target_type, target_name) do update set level = excluded.level")
STATEMENT(logging_level_delete, MAIN, "tt", "", "delete from logging_level where target_type = ?1 and target_name = ?2")
STATEMENT(logging_level_list, MAIN, "tti", "ttt",
	"select target_type, target_name, level from logging_level where (target_type, target_name) > (?1, ?2) "
	"order by target_type, target_name limit ?3")

/* Which policies count (registry/effective.h). */
STATEMENT(effective_thing, MAIN, "t", "t",
	"select distinct p.policy from group_member m cross join group_above a cross join thing_group g "
	"cross join policy_attachment p where m.thing = ?1 and a.num = m.num and g.num = a.above "
	"and p.target_kind = 'thinggroup' and p.target = g.name order by p.policy")
STATEMENT(effective_group, MAIN, "t", "t",
	"select policy from policy_attachment where target_kind = 'thinggroup' and target = ?1 order by policy")
STATEMENT(effective_certificate_groups, MAIN, "t", "tt",
	"select distinct g.name, g.attributes from thing_principal p join group_member m on m.thing = p.thing "
	"join group_above a on a.num = m.num join thing_group g on g.num = a.above where p.certificate = ?1 "
	"order by g.name")

/* Walks (registry/walk.h) over keys from ?1 to ?2: ordered alike, so that they can be merged. */
STATEMENT(walk_policies, MAIN, "tt", "titb",
	"select p.name, v.version, v.document, v.program from policy p "
	"join policy_version v on v.policy = p.name and v.version = p.default_version "
	"where p.name between ?1 and ?2 order by p.name")
STATEMENT(walk_groups, MAIN, "tt", "tt",
	"select name, attributes from thing_group where name between ?1 and ?2 order by name")
STATEMENT(walk_group_policies, MAIN, "tt", "tt",
	"select target, policy from policy_attachment where target_kind = 'thinggroup' and target between ?1 and ?2 "
	"order by target, policy")
STATEMENT(walk_things, MAIN, "tt", "tt",
	"select name, attributes from thing where name between ?1 and ?2 order by name")
STATEMENT(walk_thing_groups, MAIN, "tt", "tti",
	"select m.thing, g.name, a.above from group_member m join group_above a on a.num = m.num "
	"join thing_group g on g.num = a.above where m.thing between ?1 and ?2 order by m.thing, a.above")
STATEMENT(walk_certificates, MAIN, "tt", "ttii",
	"select id, status, not_before, not_after from certificate where id between ?1 and ?2 order by id")
STATEMENT(walk_certificate_things, MAIN, "tt", "tti",
	"select certificate, thing, is_exclusive from thing_principal where certificate between ?1 and ?2 "
	"order by certificate, thing")
STATEMENT(walk_certificate_policies, MAIN, "tt", "tt",
	"select target, policy from policy_attachment where target_kind = 'cert' and target between ?1 and ?2 "
	"order by target, policy")
STATEMENT(walk_certificate_facts, MAIN, "tt", "tb",
	"select certificate, facts from certificate_facts where certificate between ?1 and ?2 order by certificate")
STATEMENT(walk_thing_certificates, MAIN, "t", "t",
	"select certificate from thing_principal where thing = ?1 order by certificate")

/* The first and the last of ?2 keys behind ?1, and how many there are. */
STATEMENT(walk_policy_page, MAIN, "ti", "tti",
	"select coalesce(min(name), ''), coalesce(max(name), ''), count(*) from "
	"(select name from policy where name > ?1 order by name limit ?2) page")
STATEMENT(walk_group_page, MAIN, "ti", "tti",
	"select coalesce(min(name), ''), coalesce(max(name), ''), count(*) from "
	"(select name from thing_group where name > ?1 order by name limit ?2) page")
STATEMENT(walk_thing_page, MAIN, "ti", "tti",
	"select coalesce(min(name), ''), coalesce(max(name), ''), count(*) from "
	"(select name from thing where name > ?1 order by name limit ?2) page")
STATEMENT(walk_certificate_page, MAIN, "ti", "tti",
	"select coalesce(min(id), ''), coalesce(max(id), ''), count(*) from "
	"(select id from certificate where id > ?1 order by id limit ?2) page")
