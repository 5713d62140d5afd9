/* The partition log: durable appends without holes, each frame once, offsets that move with their
 * effects. */
#include "fixture.h"

#include "store/change.h"
#include "store/plog.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct plog_entry entry_of(const char *text)
{
	return (struct plog_entry){
		.at_ms = 1000, .kind = 1, .body = {text, strlen(text)}
        };
}

static struct plog_batch batch_of(const char *producer, uint64_t frame,
				  const struct plog_entry *entries, size_t n)
{
	return (struct plog_batch){
		.producer = producer,
		.first_frame = frame,
		.last_frame = frame,
		.entries = entries,
		.n_entries = n,
	};
}

/* Appends one frame of one entry. */
static int append_text(struct store *store, unsigned part, const char *producer, uint64_t frame,
		       const char *text)
{
	struct plog_entry entry = entry_of(text);
	struct plog_batch batch = batch_of(producer, frame, &entry, 1);
	return plog_append(store, part, &batch, 1);
}

static int collect(const struct plog_entry *entry, void *ctx)
{
	g_string_append_printf(ctx, "%s%" PRIu64 ":%.*s", ((GString *)ctx)->len ? " " : "",
			       entry->seq, (int)entry->body.n, entry->body.p);
	return 0;
}

/* The log from a number on, as "1:a 2:b". */
static void assert_log(struct store *store, unsigned part, uint64_t from, const char *expected)
{
	GString *seen = g_string_new(NULL);
	assert_int_equal(plog_read(store, part, from, collect, seen), 0);
	assert_string_equal(seen->str, expected);
	g_string_free(seen, TRUE);
}

static void assert_head(struct store *store, unsigned part, uint64_t expected)
{
	uint64_t head;
	assert_int_equal(plog_head(store, part, &head), 0);
	assert_int_equal(head, expected);
}

static void assert_frame(struct store *store, const char *producer, uint64_t expected)
{
	uint64_t frame;
	assert_int_equal(plog_last_frame(store, 0, producer, &frame), 0);
	assert_int_equal(frame, expected);
}

static void assert_offset(struct store *store, uint64_t expected)
{
	uint64_t offset;
	assert_int_equal(plog_offset(store, 0, &offset), 0);
	assert_int_equal(offset, expected);
}

static void starts_empty(void **state)
{
	struct fixture *f = *state;
	assert_log(f->store, 0, 0, "");
	assert_log(f->store, 0, 1, "");
	assert_head(f->store, 0, 0);
	assert_frame(f->store, "broker", 0);
	assert_offset(f->store, 0);
}

static void numbers_entries_of_all_producers(void **state)
{
	struct fixture *f = *state;
	struct plog_entry a[] = {entry_of("a"), entry_of("b")}, c = entry_of("c");
	struct plog_batch batches[] = {batch_of("one", 1, a, 2), batch_of("two", 1, &c, 1)};
	assert_int_equal(plog_append(f->store, 0, batches, 2), 0);
	assert_int_equal(batches[0].ret_first_seq, 1);
	assert_int_equal(batches[1].ret_first_seq, 3);
	assert_int_equal(append_text(f->store, 0, "one", 2, "d"), 0);
	assert_log(f->store, 0, 1, "1:a 2:b 3:c 4:d");
	assert_log(f->store, 0, 2, "2:b 3:c 4:d");
	assert_log(f->store, 0, 4, "4:d");
	assert_log(f->store, 0, 5, "");
	assert_head(f->store, 0, 4);
}

static int check_kept(const struct plog_entry *entry, void *ctx)
{
	const struct plog_entry *in = ctx;
	assert_int_equal(entry->kind, in->kind);
	assert_int_equal(entry->at_ms, in->at_ms);
	assert_true(view_eq(entry->body, in->body));
	return 1;
}

static void keeps_kind_time_and_bytes(void **state)
{
	struct fixture *f = *state;
	struct plog_entry in = {
		.at_ms = -5, .kind = 255, .body = {"\0\xff\0", 3}
        };
	struct plog_batch batch = batch_of("p", 1, &in, 1);
	assert_int_equal(plog_append(f->store, 0, &batch, 1), 0);
	assert_int_equal(plog_read(f->store, 0, 1, check_kept, &in), 1);
}

static void partitions_are_apart(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(append_text(f->store, 0, "p", 1, "a"), 0);
	assert_int_equal(append_text(f->store, 3, "p", 1, "b"), 0);
	assert_log(f->store, 0, 1, "1:a");
	assert_log(f->store, 3, 1, "1:b");
}

static void drops_a_frame_seen_before(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(append_text(f->store, 0, "p", 1, "a"), 0);
	struct plog_entry again = entry_of("a");
	struct plog_batch batch = batch_of("p", 1, &again, 1);
	assert_int_equal(plog_append(f->store, 0, &batch, 1), 0);
	assert_int_equal(batch.ret_dropped, 1);
	assert_int_equal(batch.ret_first_seq, 0);
	assert_log(f->store, 0, 1, "1:a");
	assert_head(f->store, 0, 1);
}

static void drops_the_part_seen_before(void **state)
{
	struct fixture *f = *state;
	struct plog_entry entries[] = {entry_of("a"), entry_of("b"), entry_of("c"), entry_of("d")};
	static const size_t ends[] = {1, 1, 3, 4}; /* the second frame is empty */
	struct plog_batch batch = {.producer = "p",
				   .first_frame = 1,
				   .last_frame = 2,
				   .entries = entries,
				   .n_entries = 1,
				   .frame_ends = ends};
	assert_int_equal(plog_append(f->store, 0, &batch, 1), 0);
	assert_frame(f->store, "p", 2);
	batch.last_frame = 4;
	batch.n_entries = 4;
	assert_int_equal(plog_append(f->store, 0, &batch, 1), 0);
	assert_int_equal(batch.ret_dropped, 1);
	assert_int_equal(batch.ret_first_seq, 2);
	assert_log(f->store, 0, 1, "1:a 2:b 3:c 4:d");
	assert_frame(f->store, "p", 4);
}

static void drops_within_one_append(void **state)
{
	struct fixture *f = *state;
	struct plog_entry a = entry_of("a"), b = entry_of("b");
	struct plog_batch batches[] = {batch_of("p", 1, &a, 1), batch_of("p", 1, &a, 1),
				       batch_of("p", 2, &b, 1)};
	assert_int_equal(plog_append(f->store, 0, batches, 3), 0);
	assert_log(f->store, 0, 1, "1:a 2:b");
}

static void refuses_a_gap_whole(void **state)
{
	struct fixture *f = *state;
	struct plog_entry a = entry_of("a"), b = entry_of("b");
	struct plog_batch batches[] = {batch_of("good", 1, &a, 1), batch_of("bad", 2, &b, 1)};
	assert_int_equal(plog_append(f->store, 0, batches, 2), -EPROTO);
	assert_log(f->store, 0, 1, "");
	assert_frame(f->store, "good", 0);
	assert_frame(f->store, "bad", 0);
	assert_int_equal(append_text(f->store, 0, "bad", UINT64_MAX, "x"), -EPROTO);
	assert_int_equal(append_text(f->store, 0, "good", 1, "a"), 0);
	assert_log(f->store, 0, 1, "1:a");
}

static void refuses_bad_producers(void **state)
{
	struct fixture *f = *state;
	char name[PLOG_PRODUCER_MAX + 2];
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(append_text(f->store, 0, name, 1, "a"), -EINVAL);
	assert_int_equal(append_text(f->store, 0, name + 1, 1, "a"), 0);
	assert_int_equal(append_text(f->store, 0, "\xff", 1, "b"), -EINVAL);
	assert_log(f->store, 0, 1, "1:a");
}

static void remembers_an_empty_frame(void **state)
{
	struct fixture *f = *state;
	struct plog_batch batch = batch_of("p", 1, NULL, 0);
	assert_int_equal(plog_append(f->store, 0, &batch, 1), 0);
	assert_frame(f->store, "p", 1);
	assert_head(f->store, 0, 0);
}

static void takes_the_daemons_own_always(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(append_text(f->store, 0, NULL, 0, "mark"), 0);
	assert_int_equal(append_text(f->store, 0, NULL, 0, "mark"), 0);
	assert_log(f->store, 0, 1, "1:mark 2:mark");
}

static int stop_at_two(const struct plog_entry *entry, void *ctx)
{
	(void)ctx;
	return entry->seq == 2 ? 42 : 0;
}

static void reading_stops_when_told(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(append_text(f->store, 0, NULL, 0, "x"), 0);
	assert_int_equal(plog_read(f->store, 0, 1, stop_at_two, NULL), 42);
}

static int count_bytes(const struct plog_entry *entry, void *ctx)
{
	size_t *sum = ctx;
	for (size_t i = 0; i < entry->body.n; i++)
		assert_int_equal((uint8_t)entry->body.p[i], (uint8_t)(i * 7));
	*sum += entry->body.n;
	return 0;
}

static void splits_a_large_append(void **state)
{
	struct fixture *f = *state;
	enum { N = 50, SIZE = 100000 };
	g_autofree char *body = g_malloc(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		body[i] = (char)(uint8_t)(i * 7);
	struct plog_entry entries[N];
	for (size_t i = 0; i < N; i++)
		entries[i] = (struct plog_entry){
			.at_ms = 1, .kind = 1, .body = {body, SIZE}
                };
	struct plog_batch batch = batch_of("p", 1, entries, N);
	assert_int_equal(plog_append(f->store, 0, &batch, 1), 0);
	assert_head(f->store, 0, N);
	size_t sum = 0;
	assert_int_equal(plog_read(f->store, 0, 1, count_bytes, &sum), 0);
	assert_int_equal(sum, (size_t)N * SIZE);
	sum = 0;
	assert_int_equal(plog_read(f->store, 0, 25, count_bytes, &sum), 0);
	assert_int_equal(sum, (size_t)(N - 24) * SIZE);
}

static int effect_change(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	return change_add(txn, CHANGE_THING, "thing", NULL);
}

static int effect_refused(struct sql_conn *txn, void *ctx)
{
	int r = effect_change(txn, ctx);
	return r < 0 ? r : 7;
}

static int64_t newest_change(struct fixture *f)
{
	struct sql_conn *reader = store_reader_open(f->store, NULL);
	assert_non_null(reader);
	int64_t g;
	assert_int_equal(change_newest(reader, &g), 0);
	store_reader_close(reader);
	return g;
}

static void commits_offset_with_effects(void **state)
{
	struct fixture *f = *state;
	uint64_t epoch;
	assert_int_equal(plog_lease(f->store, 0, "me", 0, 10000, &epoch), 0);
	assert_int_equal(plog_commit(f->store, 0, epoch, 0, 5, effect_change, NULL), 0);
	assert_offset(f->store, 5);
	assert_int_equal(plog_commit(f->store, 0, epoch, 0, 6, effect_change, NULL), -ESTALE);
	assert_int_equal(plog_commit(f->store, 0, epoch + 1, 5, 6, effect_change, NULL), -ESTALE);
	assert_int_equal(plog_commit(f->store, 0, epoch, 5, 6, effect_refused, NULL), 7);
	assert_offset(f->store, 5);
	assert_int_equal(newest_change(f), 1);
}

static void leases_fence_the_old_owner(void **state)
{
	struct fixture *f = *state;
	uint64_t mine, theirs, again;
	assert_int_equal(plog_lease(f->store, 0, "me", 0, 1000, &mine), 0);
	assert_int_equal(plog_lease(f->store, 0, "they", 999, 2000, &theirs), -EBUSY);
	assert_int_equal(plog_lease(f->store, 0, "me", 999, 1500, &again), 0);
	assert_int_equal(again, mine);
	assert_int_equal(plog_lease(f->store, 0, "they", 1499, 2000, &theirs), -EBUSY);
	assert_int_equal(plog_lease(f->store, 0, "they", 1500, 2000, &theirs), 0);
	assert_true(theirs > mine);
	assert_int_equal(plog_commit(f->store, 0, mine, 0, 1, effect_change, NULL), -ESTALE);
	assert_int_equal(plog_commit(f->store, 0, theirs, 0, 1, effect_change, NULL), 0);
	assert_int_equal(newest_change(f), 1);
}

static void cuts_up_to_the_offset(void **state)
{
	struct fixture *f = *state;
	uint64_t epoch;
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(append_text(f->store, 0, NULL, 0, "x"), 0);
	assert_int_equal(plog_lease(f->store, 0, "me", 0, 10000, &epoch), 0);
	assert_int_equal(plog_commit(f->store, 0, epoch, 0, 197, effect_change, NULL), 0);
	assert_int_equal(plog_cut(f->store, 0, 500), 0);
	assert_log(f->store, 0, 0, "198:x 199:x 200:x");
	assert_log(f->store, 0, 198, "198:x 199:x 200:x");
	GString *seen = g_string_new(NULL);
	assert_int_equal(plog_read(f->store, 0, 197, collect, seen), -ENODATA);
	g_string_free(seen, TRUE);
	assert_int_equal(plog_commit(f->store, 0, epoch, 197, 200, effect_change, NULL), 0);
	assert_int_equal(plog_cut(f->store, 0, 500), 0);
	assert_log(f->store, 0, 0, "200:x");
	assert_int_equal(append_text(f->store, 0, NULL, 0, "y"), 0);
	assert_log(f->store, 0, 0, "200:x 201:y");
}

static void damage(struct fixture *f, const char *sql)
{
	if (f->kind == BACKEND_PG) {
		g_free(pg_sql(f->url, sql));
		return;
	}
	g_autofree char *path = g_strconcat(f->url + strlen("sqlite:"), "/log.db", NULL);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void refuses_a_damaged_log(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(append_text(f->store, 0, NULL, 0, "x"), 0);
	GString *seen = g_string_new(NULL);
	damage(f, "delete from log where seq = 2");
	assert_int_equal(plog_read(f->store, 0, 1, collect, seen), -EIO);
	assert_int_equal(plog_read(f->store, 0, 2, collect, seen), -EIO);
	damage(f, f->kind == BACKEND_PG ? "update log set body = '\\x01000000' where seq = 3"
					: "update log set body = x'01000000' where seq = 3");
	assert_int_equal(plog_read(f->store, 0, 3, collect, seen), -EIO);
	g_string_free(seen, TRUE);
}

/* Two appenders deliver the same frames of one producer, as after a lost acknowledgement. */
struct deliverer {
	struct store *store;
	uint64_t frames;
};

static void *deliver(void *ctx)
{
	struct deliverer *d = ctx;
	for (uint64_t frame = 1; frame <= d->frames; frame++) {
		g_autofree char *text = g_strdup_printf("f%" PRIu64, frame);
		if (append_text(d->store, 0, "p", frame, text) != 0)
			return d;
	}
	return NULL;
}

static int check_frame(const struct plog_entry *entry, void *ctx)
{
	(void)ctx;
	g_autofree char *expected = g_strdup_printf("f%" PRIu64, entry->seq);
	assert_true(view_is(entry->body, expected));
	return 0;
}

static void takes_each_frame_once_from_two(void **state)
{
	struct fixture *f = *state;
	struct store *second = f->kind == BACKEND_PG ? fixture_open(f->url) : f->store;
	struct deliverer d[] = {
		{f->store, 200},
                {second,   200}
        };
	pthread_t threads[2];
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, deliver, &d[i]), 0);
	for (size_t i = 0; i < 2; i++) {
		void *failed;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_head(f->store, 0, 200);
	assert_int_equal(plog_read(f->store, 0, 1, check_frame, NULL), 0);
	if (second != f->store)
		store_close(second);
}

/* The child: appends frames of one entry for ever, and tells each acknowledged one. */
static void append_until_killed(const char *url, uint64_t frame, int tell)
{
	struct store_options options = {.url = url, .partitions = PARTITIONS};
	struct store *store;
	if (store_open(&options, &store, NULL) < 0)
		_exit(1);
	for (;; frame++) {
		char text[24];
		(void)snprintf(text, sizeof(text), "f%" PRIu64, frame);
		if (append_text(store, 0, "p", frame, text) != 0 ||
		    write(tell, &frame, sizeof(frame)) < 0)
			_exit(1);
	}
}

/* Lets a child append some frames, kills it, and returns the last one it was told to be durable. */
static uint64_t killed_appender(const char *url, uint64_t frame, unsigned frames)
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		append_until_killed(url, frame, fds[1]);
	(void)close(fds[1]);
	uint64_t acked = 0;
	for (unsigned i = 0; i < frames; i++)
		assert_int_equal(read(fds[0], &acked, sizeof(acked)), sizeof(acked));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	while (read(fds[0], &acked, sizeof(acked)) == sizeof(acked))
		continue;
	(void)close(fds[0]);
	return acked;
}

static void loses_nothing_when_killed(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;
	for (unsigned round = 0; round < 5; round++) {
		store_close(f->store);
		f->store = NULL;
		uint64_t acked = killed_appender(f->url, last + 1, 10 + 7 * round);
		f->store = fixture_open(f->url);
		assert_int_equal(plog_last_frame(f->store, 0, "p", &last), 0);
		assert_true(last == acked || last == acked + 1);
		assert_head(f->store, 0, last);
		assert_int_equal(plog_read(f->store, 0, 1, check_frame, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(starts_empty),
		ON_BOTH(numbers_entries_of_all_producers),
		ON_BOTH(keeps_kind_time_and_bytes),
		ON_BOTH(partitions_are_apart),
		ON_BOTH(drops_a_frame_seen_before),
		ON_BOTH(drops_the_part_seen_before),
		ON_BOTH(drops_within_one_append),
		ON_BOTH(refuses_a_gap_whole),
		ON_BOTH(refuses_bad_producers),
		ON_BOTH(remembers_an_empty_frame),
		ON_BOTH(takes_the_daemons_own_always),
		ON_BOTH(reading_stops_when_told),
		ON_BOTH(splits_a_large_append),
		ON_BOTH(commits_offset_with_effects),
		ON_BOTH(leases_fence_the_old_owner),
		ON_BOTH(cuts_up_to_the_offset),
		ON_BOTH(refuses_a_damaged_log),
		ON_BOTH(takes_each_frame_once_from_two),
		ON_BOTH(loses_nothing_when_killed),
	};
	return RUN_GROUP(tests);
}
