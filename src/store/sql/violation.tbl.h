/* Statements of violations: see store/schema/violation.tbl.h for the tables. Lists page by key, newest first; the place is
 * the last item shown, or the end of the span: of two upper bounds an index is searched for one, and all that lies between
 * them is read for each page. A filter is off when it is '' or -1. Each list stands three times, for the index that serves it:
 * by thing, by profile, by time. */
#define VIOLATION_FILTERS(thing_is, profile_is)                                                    \
	thing_is " and " profile_is " and (?5 = -1 or v.criteria = ?5) and (?6 = -1 or v.is_suppressed = ?6) " \
	"and (?7 = '' or coalesce(f.state, 'UNKNOWN') = ?7) "
#define VIOLATION_MAYBE_THING   "(?3 = '' or v.thing = ?3)"
#define VIOLATION_MAYBE_PROFILE "(?4 = '' or v.profile = ?4)"

#define VIOLATION_LIST(name, thing_is, profile_is)                                                 \
	STATEMENT(name, MAIN, "itttiiti", "ttttttttiii",                                            \
		"select v.id, v.thing, v.profile, v.behavior_json, v.value, coalesce(f.state, ''), " \
		"coalesce(f.description, ''), v.behavior, v.started, v.is_own, v.last "            \
		"from violation v left join verification f on f.violation = v.id "                 \
		"where (v.started, v.id) < (?1, ?2) and " VIOLATION_FILTERS(thing_is, profile_is)  \
		"order by v.started desc, v.id desc limit ?8")
VIOLATION_LIST(violation_list_thing, "v.thing = ?3", VIOLATION_MAYBE_PROFILE)
VIOLATION_LIST(violation_list_profile, VIOLATION_MAYBE_THING, "v.profile = ?4")
VIOLATION_LIST(violation_list, VIOLATION_MAYBE_THING, VIOLATION_MAYBE_PROFILE)

#define VIOLATION_EVENT_LIST(name, thing_is, profile_is)                                           \
	STATEMENT(name, MAIN, "itttiitiiii", "ttttttttiiii",                                       \
		"select v.violation, v.thing, v.profile, v.behavior_json, v.value, coalesce(f.state, ''), " \
		"coalesce(f.description, ''), v.type, v.at, v.is_own, v.seq, v.idx "               \
		"from violation_event v left join verification f on f.violation = v.violation "    \
		"where v.at >= ?8 and (v.at, v.violation, v.seq, v.idx) < (?1, ?2, ?9, ?10) and " \
		VIOLATION_FILTERS(thing_is, profile_is)                                            \
		"order by v.at desc, v.violation desc, v.seq desc, v.idx desc limit ?11")
VIOLATION_EVENT_LIST(violation_event_list_thing, "v.thing = ?3", VIOLATION_MAYBE_PROFILE)
VIOLATION_EVENT_LIST(violation_event_list_profile, VIOLATION_MAYBE_THING, "v.profile = ?4")
VIOLATION_EVENT_LIST(violation_event_list, VIOLATION_MAYBE_THING, VIOLATION_MAYBE_PROFILE)

#undef VIOLATION_EVENT_LIST
#undef VIOLATION_LIST
#undef VIOLATION_MAYBE_PROFILE
#undef VIOLATION_MAYBE_THING
#undef VIOLATION_FILTERS

STATEMENT(violation_add, MAIN, "ttttttiiiiii", "",
	"insert into violation (id, thing, profile, behavior, behavior_json, value, criteria, is_suppressed, is_own, "
	"started, last, seq, idx) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12)")
STATEMENT(violation_move, MAIN, "ttiiiiit", "",
	"update violation set value = ?2, is_suppressed = ?3, is_own = is_own * ?4, last = ?5, seq = ?6, idx = ?7, "
	"behavior_json = ?8 where id = ?1 and (seq, idx) < (?6, ?7)")
STATEMENT(violation_end, MAIN, "t", "", "delete from violation where id = ?1")
STATEMENT(violation_active, MAIN, "", "tttt", "select id, thing, profile, behavior from violation order by id")
STATEMENT(violation_known, MAIN, "t", "i",
	"select count(*) from (select 1 from violation where id = ?1 "
	"union all select 1 from violation_event where violation = ?1) k")

STATEMENT(violation_event_add, MAIN, "iiittttttiiii", "",
	"insert into violation_event (part, seq, idx, violation, type, thing, profile, behavior_json, value, criteria, "
	"is_suppressed, is_own, at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
	"on conflict (part, seq, idx) do nothing")
STATEMENT(violation_event_forget, MAIN, "ii", "",
	"delete from violation_event where (part, seq, idx) in "
	"(select part, seq, idx from violation_event where at < ?1 order by at limit ?2)")

STATEMENT(verification_set, MAIN, "ttt", "",
	"insert into verification (violation, state, description) values (?1, ?2, ?3) "
	"on conflict (violation) do update set state = ?2, description = ?3")
STATEMENT(verification_forget, MAIN, "", "",
	"delete from verification where not exists (select 1 from violation v where v.id = verification.violation) "
	"and not exists (select 1 from violation_event e where e.violation = verification.violation)")
