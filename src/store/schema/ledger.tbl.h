/* What brokers told (ledger/ledger.h). Times are milliseconds since the epoch. A certificate is its id (64 hex digits), ''
 * for none.
 *
 *   broker    run: of its plugin; generation: of the snapshot that every session there was judged by, 0 until it told; cut: the last mark it
 *             delivered its counters for; is_gone: it has been silent for too long to be waited for
 *   session   the open ones, by their number in the broker's run. Those of a broker that is gone are not known to be open
 *   denial    what was refused, a row an hour for what is alike. action: iot:... or tls; cause: a word of cause.tbl.h;
 *             is_observed: it was let pass, and would be refused; statement: from 0, -1 for none; is_rest: the sum of what
 *             found no row of its own: columns that differed are empty */
SCHEMA(1, MAIN, "create table broker ("
	"id TEXT not null primary key, run TEXT not null, generation INT not null, cut INT not null, heard INT not null, "
	"is_gone INT not null) STRICT")
SCHEMA(1, MAIN, "create table session ("
	"broker TEXT not null, number INT not null, certificate TEXT not null, client_id TEXT not null, "
	"username TEXT not null, thing TEXT not null, address TEXT not null, port INT not null, flags INT not null, "
	"keep_alive INT not null, connected INT not null, primary key (broker, number)) STRICT")
SCHEMA(1, MAIN, "create index session_certificate on session (certificate)")
SCHEMA(1, MAIN, "create table denial ("
	"id TEXT not null primary key, hour INT not null, broker TEXT not null, certificate TEXT not null, "
	"client_id TEXT not null, username TEXT not null, address TEXT not null, action TEXT not null, cause TEXT not null, "
	"is_observed INT not null, resource TEXT not null, policy TEXT not null, version INT not null, "
	"statement INT not null, missing TEXT not null, is_rest INT not null, times INT not null, first_at INT not null, "
	"last_at INT not null) STRICT")
SCHEMA(1, MAIN, "create index denial_hour on denial (hour)")
