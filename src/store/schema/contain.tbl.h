/* Containments and clone cases (registry/containment.h, registry/clone_case.h). Times are milliseconds since the epoch.
 *
 *   containment              goal: enum contain_goal; applied 0: not yet; watched: what is seen still counts; lifted: somebody gave
 *                            back what was taken away; session, refused: what was seen since then, in words, "" for nothing
 *   containment_certificate  the certificates concerned, at most CONTAINMENT_CERTIFICATES_MAX (is_sample: there are more)
 *   containment_document     the policies that granted what was taken away, or deny it
 *   containment_applied      the brokers that confirmed the generation, and when
 *   containment_evidence     the states it went through, with the reason
 *   clone_case               subject: 'client/ID' or 'cert/ID'; state: contain/clone.h; the rest is drawn from it, to find cases
 */
SCHEMA(1, MAIN, "create table containment ("
	"id INT not null primary key, kind TEXT not null, goal INT not null, target TEXT not null, detail TEXT not null, "
	"generation INT not null, request TEXT not null, key_id TEXT not null, requested INT not null, state TEXT not null, "
	"applied INT not null, watched INT not null, lifted INT not null, is_sample INT not null, session TEXT not null, "
	"refused TEXT not null) STRICT")
SCHEMA(1, MAIN, "create index containment_requested on containment (requested)")
SCHEMA(1, MAIN, "create index containment_watched on containment (requested) where watched = 1")
SCHEMA(1, MAIN, "create index containment_judged on containment (id) where watched = 1 and (state <> 'verified' or session <> '')")
SCHEMA(1, MAIN, "create index containment_awaited on containment (generation) where watched = 1 and applied = 0")
SCHEMA(1, MAIN, "create index containment_target on containment (target) where watched = 1")
SCHEMA(1, MAIN, "create table containment_certificate ("
	"containment INT not null, certificate TEXT not null, primary key (containment, certificate)) STRICT")
SCHEMA(1, MAIN, "create index containment_certificate_of on containment_certificate (certificate, containment)")
SCHEMA(1, MAIN, "create table containment_document ("
	"containment INT not null, n INT not null, policy TEXT not null, version INT not null, document TEXT not null, "
	"primary key (containment, n)) STRICT")
SCHEMA(1, MAIN, "create table containment_applied ("
	"containment INT not null, broker TEXT not null, at INT not null, primary key (containment, broker)) STRICT")
SCHEMA(1, MAIN, "create table containment_evidence ("
	"containment INT not null, n INT not null, at INT not null, state TEXT not null, text TEXT not null, "
	"primary key (containment, n)) STRICT")
SCHEMA(1, MAIN, "create table clone_case ("
	"subject TEXT not null, opened INT not null, last INT not null, verdict TEXT not null, beside INT not null, "
	"state BLOB not null, primary key (subject, opened)) STRICT")
SCHEMA(1, MAIN, "create index clone_case_beside on clone_case (beside) where beside > 0")
SCHEMA(1, MAIN, "create index clone_case_last on clone_case (last, subject)")
