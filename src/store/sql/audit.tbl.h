/* The audit's statements: see store/sql.h for the form of a row, store/schema/audit.tbl.h for the tables. */

/* Account configuration. */
STATEMENT(audit_configuration_get, MAIN, "", "tt",
	"select role_arn, targets from audit_configuration where one = 1")
STATEMENT(audit_configuration_set, MAIN, "tt", "",
	"insert into audit_configuration (one, role_arn, targets) values (1, ?1, ?2) "
	"on conflict (one) do update set role_arn = excluded.role_arn, targets = excluded.targets")
STATEMENT(audit_configuration_delete, MAIN, "", "", "delete from audit_configuration")
STATEMENT(audit_check_get, MAIN, "t", "it", "select is_enabled, parameters from audit_check where name = ?1")
STATEMENT(audit_check_set, MAIN, "tit", "",
	"insert into audit_check (name, is_enabled, parameters) values (?1, ?2, ?3) "
	"on conflict (name) do update set is_enabled = excluded.is_enabled, parameters = excluded.parameters")
STATEMENT(audit_check_count_enabled, MAIN, "", "i", "select count(*) from audit_check where is_enabled = 1")
STATEMENT(audit_check_delete_all, MAIN, "", "", "delete from audit_check")

/* Tasks. */
STATEMENT(audit_task_add, MAIN, "tti", "",
	"insert into audit_task (id, type, scheduled_audit, status, started, ended) "
	"values (?1, ?2, '', 'IN_PROGRESS', ?3, 0)")
STATEMENT(audit_task_get, MAIN, "t", "ttti",
	"select status, type, scheduled_audit, started from audit_task where id = ?1")
STATEMENT(audit_task_count, MAIN, "t", "i",
	"select count(*) from audit_task where status = 'IN_PROGRESS' and type = ?1")
STATEMENT(audit_task_next, MAIN, "", "ti",
	"select id, started from audit_task where status = 'IN_PROGRESS' order by started, id limit 1")
/* Lists by time have one upper bound, as those of violations (violation.tbl.h). */
STATEMENT(audit_task_list, MAIN, "ittiti", "ttti",
	"select id, status, type, started from audit_task where started >= ?1 "
	"and (?2 = '' or type = ?2) and (?3 = '' or status = ?3) and (started, id) < (?4, ?5) "
	"order by started desc, id desc limit ?6")
STATEMENT(audit_task_cancel, MAIN, "ti", "",
	"update audit_task set status = 'CANCELED', ended = ?2 where id = ?1 and status = 'IN_PROGRESS'")
STATEMENT(audit_task_end, MAIN, "ti", "",
	"update audit_task set ended = ?2, status = case when exists (select 1 from audit_task_check "
	"where task = ?1 and status <> 'FAILED') then 'COMPLETED' else 'FAILED' end "
	"where id = ?1 and status = 'IN_PROGRESS'")

/* Checks of a task. */
STATEMENT(audit_task_check_add, MAIN, "tt", "",
	"insert into audit_task_check (task, check_name, status, done_upto, resources, non_compliant, suppressed, "
	"error_code, message) values (?1, ?2, 'IN_PROGRESS', '', 0, 0, 0, '', '') on conflict (task, check_name) do nothing")
STATEMENT(audit_task_check_list, MAIN, "t", "ttiiitt",
	"select check_name, status, resources, non_compliant, suppressed, error_code, message "
	"from audit_task_check where task = ?1 order by check_name")
STATEMENT(audit_task_check_next, MAIN, "t", "tt",
	"select check_name, done_upto from audit_task_check where task = ?1 and status = 'IN_PROGRESS' "
	"order by check_name limit 1")
STATEMENT(audit_task_check_advance, MAIN, "tttii", "",
	"update audit_task_check set done_upto = ?3, resources = resources + ?4, "
	"non_compliant = non_compliant + ?5 where task = ?1 and check_name = ?2")
STATEMENT(audit_task_check_complete, MAIN, "tt", "",
	"update audit_task_check set status = case when non_compliant > 0 then 'COMPLETED_NON_COMPLIANT' "
	"else 'COMPLETED_COMPLIANT' end where task = ?1 and check_name = ?2 and status = 'IN_PROGRESS'")
STATEMENT(audit_task_check_fail, MAIN, "tttt", "",
	"update audit_task_check set status = 'FAILED', error_code = ?3, message = ?4 "
	"where task = ?1 and check_name = ?2 and status = 'IN_PROGRESS'")
STATEMENT(audit_task_check_cancel, MAIN, "t", "",
	"update audit_task_check set status = 'CANCELED' where task = ?1 and status = 'IN_PROGRESS'")

/* Findings, newest first. A filter on suppression is a range of is_suppressed: 0-0, 1-1 or 0-1. */
STATEMENT(audit_finding_add, MAIN, "tttiitt", "",
	"insert into audit_finding (id, task, check_name, found, is_suppressed, identifier, body) "
	"values (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
STATEMENT(audit_finding_get, MAIN, "t", "t", "select body from audit_finding where id = ?1")
STATEMENT(audit_finding_list_task, MAIN, "tttiiiti", "tti",
	"select body, id, found from audit_finding where task = ?1 and (?2 = '' or check_name = ?2) "
	"and (?3 = '' or identifier = ?3) and is_suppressed between ?4 and ?5 and (found, id) < (?6, ?7) "
	"order by found desc, id desc limit ?8")
STATEMENT(audit_finding_list_time, MAIN, "ittiiiti", "tti",
	"select body, id, found from audit_finding where found >= ?1 "
	"and (?2 = '' or check_name = ?2) and (?3 = '' or identifier = ?3) and is_suppressed between ?4 and ?5 "
	"and (found, id) < (?6, ?7) order by found desc, id desc limit ?8")

/* The end of old tasks. */
STATEMENT(audit_task_oldest, MAIN, "i", "t",
	"select id from audit_task where started < ?1 and status <> 'IN_PROGRESS' order by started, id limit 1")
STATEMENT(audit_finding_forget, MAIN, "ti", "",
	"delete from audit_finding where id in (select id from audit_finding where task = ?1 limit ?2)")
STATEMENT(audit_task_check_forget, MAIN, "t", "", "delete from audit_task_check where task = ?1")
STATEMENT(audit_task_forget, MAIN, "t", "", "delete from audit_task where id = ?1")

/* What the checks look at: the registry's tables, in key order from behind a key. */
STATEMENT(audit_certificates, MAIN, "ti", "ti",
	"select id, not_after from certificate where status in ('ACTIVE', 'PENDING_TRANSFER') and id > ?1 "
	"order by id limit ?2")
STATEMENT(audit_policies, MAIN, "ti", "tit",
	"select p.name, v.version, v.document from policy p "
	"join policy_version v on v.policy = p.name and v.version = p.default_version "
	"where p.name > ?1 order by p.name limit ?2")
STATEMENT(audit_logging, MAIN, "", "iti",
	"select is_disabled, default_level, (select count(*) from logging_level where level <> 'DISABLED') "
	"from logging_options where one = 1")
