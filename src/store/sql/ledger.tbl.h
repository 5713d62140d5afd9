/* Statements of what brokers told: see store/schema/ledger.tbl.h for the tables. */
STATEMENT(broker_run, MAIN, "t", "t", "select run from broker where id = ?1")
STATEMENT(broker_hello, MAIN, "tti", "",
	"insert into broker (id, run, generation, cut, heard, is_gone) values (?1, ?2, 0, 0, ?3, 0) "
	"on conflict (id) do update set generation = case when broker.run = excluded.run then broker.generation else 0 end, "
	"run = excluded.run, heard = excluded.heard, is_gone = 0")
STATEMENT(broker_heard, MAIN, "ti", "", "update broker set heard = ?2, is_gone = 0 where id = ?1")
STATEMENT(broker_applied, MAIN, "ti", "", "update broker set generation = ?2 where id = ?1")
STATEMENT(broker_cut, MAIN, "ti", "", "update broker set cut = ?2 where id = ?1 and cut < ?2")
STATEMENT(broker_gone, MAIN, "t", "", "update broker set is_gone = 1 where id = ?1")
STATEMENT(broker_awaited, MAIN, "", "tii", "select id, cut, generation from broker where is_gone = 0 order by id")

STATEMENT(session_begin, MAIN, "titttttiiii", "",
	"insert into session (broker, number, certificate, client_id, username, thing, address, port, flags, keep_alive, "
	"connected) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) on conflict (broker, number) do nothing")
STATEMENT(session_end, MAIN, "ti", "", "delete from session where broker = ?1 and number = ?2")
STATEMENT(session_end_all, MAIN, "t", "", "delete from session where broker = ?1")
STATEMENT(session_count, MAIN, "", "i", "select count(*) from session")

STATEMENT(denial_add, MAIN, "titttttttittiitiiii", "",
	"insert into denial (id, hour, broker, certificate, client_id, username, address, action, cause, is_observed, "
	"resource, policy, version, statement, missing, is_rest, times, first_at, last_at) values (?1, ?2, ?3, ?4, ?5, ?6, "
	"?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) on conflict (id) do update set "
	"times = denial.times + excluded.times, "
	"first_at = case when excluded.first_at < denial.first_at then excluded.first_at else denial.first_at end, "
	"last_at = case when excluded.last_at > denial.last_at then excluded.last_at else denial.last_at end")
STATEMENT(denial_of_hour, MAIN, "i", "tttti",
	"select id, certificate, username, address, is_rest from denial where hour = ?1")
STATEMENT(denial_hours, MAIN, "", "ii", "select hour, count(*) from denial group by hour order by hour desc")
STATEMENT(denial_evict, MAIN, "i", "", "delete from denial where hour < ?1")
STATEMENT(denial_forget, MAIN, "ii", "",
	"delete from denial where id in (select id from denial where hour < ?1 order by hour limit ?2)")
/* Since an hour and a time, by client id, certificate, address and thing ('': any), observed or not (-1: both). The last
 * column is the document that decided, '' when it is gone. It reads the hours whole: they are bounded, and an index for each
 * question would cost every refusal. */
STATEMENT(denial_list, MAIN, "iittttii", "ttttttittitiitiiit",
	"select d.broker, d.certificate, d.client_id, d.username, d.address, d.action, d.is_observed, d.cause, d.resource, "
	"d.is_rest, d.policy, d.version, d.statement, d.missing, cast(sum(d.times) as bigint), min(d.first_at), "
	"max(d.last_at), coalesce((select v.document from policy_version v where v.policy = d.policy and v.version = d.version), '') "
	"from denial d where d.hour >= ?1 and d.last_at >= ?2 and (?3 = '' or d.client_id = ?3) "
	"and (?4 = '' or d.certificate = ?4) and (?5 = '' or d.address = ?5) "
	"and (?6 = '' or d.client_id = ?6 or d.certificate in (select p.certificate from thing_principal p where p.thing = ?6)) "
	"and (?7 = -1 or d.is_observed = ?7) "
	"group by d.broker, d.certificate, d.client_id, d.username, d.address, d.action, d.is_observed, d.cause, d.resource, "
	"d.is_rest, d.policy, d.version, d.statement, d.missing "
	"order by max(d.last_at) desc, d.client_id, d.certificate, d.address, d.action, d.resource, d.cause, d.policy, "
	"d.version, d.statement, d.missing, d.username, d.broker limit ?8")
