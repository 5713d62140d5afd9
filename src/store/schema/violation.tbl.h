/* Violations (registry/violation.h). Times are milliseconds since the epoch. JSON columns: behavior as it was, value a
 * MetricValue ("" when there is none). criteria: enum criteria_type. is_own: 0 when another principal than the thing's own
 * reported it. The evaluator writes violation and violation_event; the API writes verification.
 */
SCHEMA(1, MAIN, "create table violation ("
	"id TEXT not null primary key, thing TEXT not null, profile TEXT not null, behavior TEXT not null, "
	"behavior_json TEXT not null, value TEXT not null, criteria INT not null, is_suppressed INT not null, "
	"is_own INT not null, started INT not null, last INT not null, seq INT not null, idx INT not null) STRICT")
SCHEMA(1, MAIN, "create index violation_started on violation (started, id)")
SCHEMA(1, MAIN, "create index violation_thing on violation (thing, started, id)")
SCHEMA(1, MAIN, "create index violation_profile on violation (profile, started, id)")
SCHEMA(1, MAIN, "create table violation_event ("
	"part INT not null, seq INT not null, idx INT not null, violation TEXT not null, type TEXT not null, "
	"thing TEXT not null, profile TEXT not null, behavior_json TEXT not null, value TEXT not null, "
	"criteria INT not null, is_suppressed INT not null, is_own INT not null, at INT not null, "
	"primary key (part, seq, idx)) STRICT")
SCHEMA(1, MAIN, "create index violation_event_at on violation_event (at, violation, seq, idx)")
SCHEMA(1, MAIN, "create index violation_event_thing on violation_event (thing, at, violation, seq, idx)")
SCHEMA(1, MAIN, "create index violation_event_profile on violation_event (profile, at, violation, seq, idx)")
SCHEMA(1, MAIN, "create index violation_event_violation on violation_event (violation)")
SCHEMA(1, MAIN, "create table verification ("
	"violation TEXT not null primary key, state TEXT not null, description TEXT not null) STRICT")
