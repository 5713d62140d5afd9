/* Containments: the record, and what it is about. */
STATEMENT(containment_add, MAIN, "itittttiii", "",
	"insert into containment (id, kind, goal, target, detail, generation, request, key_id, requested, state, applied, watched, "
	"lifted, is_sample, session, refused) values (?1, ?2, ?3, ?4, ?5, ?8, ?6, ?7, ?9, 'requested', 0, 1, 0, ?10, '', '')")
STATEMENT(containment_add_certificate, MAIN, "it", "",
	"insert into containment_certificate (containment, certificate) values (?1, ?2) "
	"on conflict (containment, certificate) do nothing")
STATEMENT(containment_add_document, MAIN, "iitit", "",
	"insert into containment_document (containment, n, policy, version, document) values (?1, ?2, ?3, ?4, ?5)")
STATEMENT(containment_add_evidence, MAIN, "iitt", "",
	"insert into containment_evidence (containment, n, at, state, text) "
	"select ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4 from containment_evidence where containment = ?1")

/* Which certificates are concerned, the first so many rows: one may come several times. Nothing here gathers all before it
 * gives the first. */
STATEMENT(containment_of_thing, MAIN, "ti", "t", "select certificate from thing_principal where thing = ?1 limit ?2")
STATEMENT(containment_of_group, MAIN, "ti", "t",
	"select p.certificate from thing_group g join group_above a on a.above = g.num "
	"join group_member m on m.num = a.num join thing_principal p on p.thing = m.thing where g.name = ?1 limit ?2")
STATEMENT(containment_of_policy, MAIN, "ti", "t",
	"select target from policy_attachment where policy = ?1 and target_kind = 'cert' limit ?2")
STATEMENT(containment_of_policy_groups, MAIN, "ti", "t",
	"select p.certificate from policy_attachment t join thing_group g on g.name = t.target "
	"join group_above a on a.above = g.num join group_member m on m.num = a.num "
	"join thing_principal p on p.thing = m.thing where t.policy = ?1 and t.target_kind = 'thinggroup' limit ?2")

/* The documents: a policy's version, its default, those of a group and its ancestors, of a thing's groups, of a certificate.
 * cross join: SQLite takes the tables in this order, and so does not begin with all attachments. */
STATEMENT(containment_documents_version, MAIN, "ti", "tit",
	"select policy, version, document from policy_version where policy = ?1 and version = ?2")
STATEMENT(containment_documents_policy, MAIN, "t", "tit",
	"select v.policy, v.version, v.document from policy p "
	"join policy_version v on v.policy = p.name and v.version = p.default_version where p.name = ?1")
STATEMENT(containment_documents_group, MAIN, "t", "tit",
	"select v.policy, v.version, v.document from thing_group own cross join group_above a cross join thing_group g "
	"cross join policy_attachment t cross join policy p cross join policy_version v where own.name = ?1 and a.num = own.num "
	"and g.num = a.above and t.target_kind = 'thinggroup' and t.target = g.name and p.name = t.policy "
	"and v.policy = p.name and v.version = p.default_version order by v.policy")
STATEMENT(containment_documents_thing, MAIN, "t", "tit",
	"select distinct v.policy, v.version, v.document from group_member m cross join group_above a cross join thing_group g "
	"cross join policy_attachment t cross join policy p cross join policy_version v where m.thing = ?1 and a.num = m.num "
	"and g.num = a.above and t.target_kind = 'thinggroup' and t.target = g.name and p.name = t.policy "
	"and v.policy = p.name and v.version = p.default_version order by v.policy")
STATEMENT(containment_documents_certificate, MAIN, "t", "tit",
	"select v.policy, v.version, v.document from policy_attachment t join policy p on p.name = t.policy "
	"join policy_version v on v.policy = p.name and v.version = p.default_version "
	"where t.target_kind = 'cert' and t.target = ?1 order by v.policy")

/* What is seen of it. */
STATEMENT(containment_note_applied, MAIN, "iti", "",
	"insert into containment_applied (containment, broker, at) select id, ?2, ?3 from containment "
	"where watched = 1 and applied = 0 and generation <= ?1 on conflict (containment, broker) do nothing")
/* After all have applied it, or after its own broker has, whether that was judged yet or not. */
STATEMENT(containment_note_session, MAIN, "ttti", "",
	"update containment set session = ?3 where watched = 1 and goal = 0 and session = '' "
	"and id in (select containment from containment_certificate where certificate = ?1) "
	"and ((applied > 0 and applied < ?4) or exists (select 1 from containment_applied a "
	"where a.containment = containment.id and a.broker = ?2 and a.at < ?4))")
STATEMENT(containment_note_refused, MAIN, "tti", "",
	"update containment set refused = ?2 where watched = 1 and goal = 0 and refused = '' and requested <= ?3 "
	"and id in (select containment from containment_certificate where certificate = ?1)")

/* Judging. */
STATEMENT(containment_next, MAIN, "i", "i",
	"select id from containment where watched = 1 and id > ?1 and (state <> 'verified' or session <> '') order by id limit 1")
STATEMENT(containment_unwatch, MAIN, "i", "",
	"update containment set watched = 0 where watched = 1 and requested < ?1")
STATEMENT(containment_get, MAIN, "i", "ittttittiiiiitt",
	"select id, kind, target, detail, state, generation, request, key_id, requested, applied, watched, lifted, is_sample, "
	"session, refused from containment where id = ?1")
STATEMENT(containment_list, MAIN, "iti", "ittttittiiiiitt",
	"select id, kind, target, detail, state, generation, request, key_id, requested, applied, watched, lifted, is_sample, "
	"session, refused from containment where id < ?1 and (?2 = '' or state = ?2) order by id desc limit ?3")
STATEMENT(containment_set, MAIN, "itii", "",
	"update containment set state = ?2, applied = ?3, watched = ?4 where id = ?1 and watched = 1")
STATEMENT(containment_lift, MAIN, "iti", "",
	"update containment set watched = 0, lifted = ?3 where watched = 1 and goal = ?1 and target = ?2")
STATEMENT(containment_certificates, MAIN, "iti", "t",
	"select certificate from containment_certificate where containment = ?1 and certificate > ?2 order by certificate limit ?3")
STATEMENT(containment_documents, MAIN, "i", "tit",
	"select policy, version, document from containment_document where containment = ?1 order by n")
STATEMENT(containment_evidence, MAIN, "i", "itt",
	"select at, state, text from containment_evidence where containment = ?1 order by n")
STATEMENT(containment_applied, MAIN, "i", "ti",
	"select broker, at from containment_applied where containment = ?1 order by at, broker")

STATEMENT(containment_brokers, MAIN, "i", "i", "select count(*) from broker where is_gone = 0 or heard > ?1")
STATEMENT(containment_waiting, MAIN, "ii", "t",
	"select id from broker where (is_gone = 0 or heard > ?2) and not exists (select 1 from containment_applied a "
	"where a.containment = ?1 and a.broker = broker.id) order by id limit 1")
STATEMENT(containment_session, MAIN, "i", "ttt",
	"select s.client_id, s.address, s.broker from containment_certificate c join session s on s.certificate = c.certificate "
	"join broker b on b.id = s.broker where c.containment = ?1 and b.is_gone = 0 limit 1")

/* The end of their retention, a slice: ids go up with the time, so the last id of the slice tells all of it. */
STATEMENT(containment_forget_slice, MAIN, "ii", "ii",
	"select coalesce(max(id), 0), count(*) from (select id from containment where requested < ?1 order by requested limit ?2) slice")
STATEMENT(containment_forget, MAIN, "i", "", "delete from containment where id <= ?1")
STATEMENT(containment_forget_certificates, MAIN, "i", "", "delete from containment_certificate where containment <= ?1")
STATEMENT(containment_forget_documents, MAIN, "i", "", "delete from containment_document where containment <= ?1")
STATEMENT(containment_forget_evidence, MAIN, "i", "", "delete from containment_evidence where containment <= ?1")
STATEMENT(containment_forget_applied, MAIN, "i", "", "delete from containment_applied where containment <= ?1")

/* Clone cases. */
STATEMENT(clone_case_newest, MAIN, "t", "ib",
	"select opened, state from clone_case where subject = ?1 order by opened desc limit 1")
STATEMENT(clone_case_set, MAIN, "tiitib", "",
	"insert into clone_case (subject, opened, last, verdict, beside, state) values (?1, ?2, ?3, ?4, ?5, ?6) "
	"on conflict (subject, opened) do update set last = ?3, verdict = ?4, beside = ?5, state = ?6")
STATEMENT(clone_case_pairs, MAIN, "ii", "t",
	"select subject from clone_case where beside > 0 and beside > ?1 order by beside desc limit ?2")
STATEMENT(clone_keep_alive, MAIN, "tt", "i",
	"select keep_alive from session where certificate = ?1 and client_id = ?2 order by connected desc limit 1")
STATEMENT(clone_case_count, MAIN, "", "i", "select count(*) from clone_case")
STATEMENT(clone_case_evict, MAIN, "i", "",
	"delete from clone_case where (subject, opened) in (select subject, opened from clone_case "
	"order by case when verdict = 'clone' then 1 else 0 end, last limit ?1)")
STATEMENT(clone_case_list, MAIN, "iti", "tb",
	"select subject, state from clone_case where (last, subject) < (?1, ?2) "
	"order by last desc, subject desc limit ?3")
STATEMENT(clone_case_forget, MAIN, "ii", "",
	"delete from clone_case where (subject, opened) in (select subject, opened from clone_case where last < ?1 "
	"order by last limit ?2)")
