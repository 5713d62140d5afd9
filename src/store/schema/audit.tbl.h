/* The audit's tables (audit/). Times are milliseconds since the epoch; JSON is compact with sorted keys, "" when absent.
 *
 *   audit_check       the checks of model/checks.tbl.h that were ever configured; others are disabled
 *   audit_task_check  how far a check of a task is: resources up to the key `done_upto` are judged, counted and written
 *   audit_finding     body: the AuditFinding as the API shows it; the other columns are what it is looked up by */
SCHEMA(1, MAIN, "create table audit_configuration ("
	"one INT not null primary key, role_arn TEXT not null, targets TEXT not null) STRICT")
SCHEMA(1, MAIN, "create table audit_check ("
	"name TEXT not null primary key, is_enabled INT not null, parameters TEXT not null) STRICT")
SCHEMA(1, MAIN, "create table audit_task ("
	"id TEXT not null primary key, type TEXT not null, scheduled_audit TEXT not null, status TEXT not null, "
	"started INT not null, ended INT not null) STRICT")
SCHEMA(1, MAIN, "create index audit_task_started on audit_task (started, id)")
SCHEMA(1, MAIN, "create index audit_task_status on audit_task (status, started, id)")
SCHEMA(1, MAIN, "create table audit_task_check ("
	"task TEXT not null, check_name TEXT not null, status TEXT not null, done_upto TEXT not null, "
	"resources INT not null, non_compliant INT not null, suppressed INT not null, "
	"error_code TEXT not null, message TEXT not null, primary key (task, check_name)) STRICT")
SCHEMA(1, MAIN, "create table audit_finding ("
	"id TEXT not null primary key, task TEXT not null, check_name TEXT not null, found INT not null, "
	"is_suppressed INT not null, identifier TEXT not null, body TEXT not null) STRICT")
SCHEMA(1, MAIN, "create index audit_finding_task on audit_finding (task, found, id)")
SCHEMA(1, MAIN, "create index audit_finding_found on audit_finding (found, id)")
