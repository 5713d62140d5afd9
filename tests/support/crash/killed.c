/* wraps: plog_append plog_commit broker_answer detect_step */
/* wraps: checkpoint_write snapshot_file_append snapshot_file_sync rename */
/* The daemon, which kills itself at a named point: KILL_POINT=NAME:N in the environment, the N-th
 * time that it comes by. The linker puts the points around functions; the sources know nothing of
 * them. The names are kill_points.tbl.h's. */
#include "broker/snapshot_write.h"
#include "daemon/broker.h"
#include "daemon/checkpoint.h"
#include "store/plog.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum point {
#define POINT(id, name, most) POINT_##id,
#include "kill_points.tbl.h"
#undef POINT
	POINTS
};

static const char *const names[] = {
#define POINT(id, name, most) name,
#include "kill_points.tbl.h"
#undef POINT
};

static enum point chosen = POINTS;
static atomic_long left;

__attribute__((constructor)) static void choose(void)
{
	const char *given = getenv("KILL_POINT");
	const char *colon = given ? strchr(given, ':') : NULL;
	for (enum point i = 0; colon && i < POINTS; i++) {
		size_t n = strlen(names[i]);
		if ((size_t)(colon - given) == n && memcmp(given, names[i], n) == 0)
			chosen = i;
	}
	if (given && chosen == POINTS) {
		(void)fprintf(stderr, "KILL_POINT=%s: there is no such point\n", given);
		exit(2);
	}
	if (colon)
		atomic_init(&left, strtol(colon + 1, NULL, 10));
}

static void pass(enum point point)
{
	if (point == chosen && atomic_fetch_sub(&left, 1) == 1)
		(void)raise(SIGKILL);
}

int __real_plog_append(struct store *store, unsigned part, struct plog_batch *batches, size_t n);
int __wrap_plog_append(struct store *store, unsigned part, struct plog_batch *batches, size_t n);

int __wrap_plog_append(struct store *store, unsigned part, struct plog_batch *batches, size_t n)
{
	pass(POINT_APPEND);
	int r = __real_plog_append(store, part, batches, n);
	pass(POINT_APPENDED);
	return r;
}

bool __real_broker_answer(struct broker *b);
bool __wrap_broker_answer(struct broker *b);

/* Between the two datagrams went, or some of them. */
bool __wrap_broker_answer(struct broker *b)
{
	bool has_answers = b->answers->len > 0;
	if (has_answers)
		pass(POINT_ANSWER);
	bool r = __real_broker_answer(b);
	if (has_answers)
		pass(POINT_ANSWERED);
	return r;
}

int __real_detect_step(struct detect *d, const struct detect_entry *entry, effect_fn *fn,
		       void *ctx);
int __wrap_detect_step(struct detect *d, const struct detect_entry *entry, effect_fn *fn,
		       void *ctx);

int __wrap_detect_step(struct detect *d, const struct detect_entry *entry, effect_fn *fn, void *ctx)
{
	pass(POINT_EVALUATE);
	int r = __real_detect_step(d, entry, fn, ctx);
	pass(POINT_EVALUATED);
	return r;
}

struct effects_of {
	store_write_fn *fn;
	void *ctx;
};

static int write_effects(struct sql_conn *txn, void *ctx)
{
	const struct effects_of *effects = ctx;
	int r = effects->fn(txn, effects->ctx);
	pass(POINT_EFFECTS);
	return r;
}

int __real_plog_commit(struct store *store, unsigned part, uint64_t epoch, uint64_t from,
		       uint64_t to, store_write_fn *effects, void *ctx);
int __wrap_plog_commit(struct store *store, unsigned part, uint64_t epoch, uint64_t from,
		       uint64_t to, store_write_fn *effects, void *ctx);

int __wrap_plog_commit(struct store *store, unsigned part, uint64_t epoch, uint64_t from,
		       uint64_t to, store_write_fn *effects, void *ctx)
{
	struct effects_of mine = {effects, ctx};
	pass(POINT_COMMIT);
	int r = __real_plog_commit(store, part, epoch, from, to, write_effects, &mine);
	pass(POINT_COMMITTED);
	return r;
}

int __real_checkpoint_write(const char *dir, uint64_t seq, const void *bytes, size_t n,
			    uint64_t *ret_oldest);
int __wrap_checkpoint_write(const char *dir, uint64_t seq, const void *bytes, size_t n,
			    uint64_t *ret_oldest);

int __wrap_checkpoint_write(const char *dir, uint64_t seq, const void *bytes, size_t n,
			    uint64_t *ret_oldest)
{
	pass(POINT_CHECKPOINT);
	return __real_checkpoint_write(dir, seq, bytes, n, ret_oldest);
}

int __real_snapshot_file_append(struct snapshot_file *f, const struct snapshot_builder *records,
				uint64_t generation);
int __wrap_snapshot_file_append(struct snapshot_file *f, const struct snapshot_builder *records,
				uint64_t generation);

int __wrap_snapshot_file_append(struct snapshot_file *f, const struct snapshot_builder *records,
				uint64_t generation)
{
	pass(POINT_DELTA);
	int r = __real_snapshot_file_append(f, records, generation);
	pass(POINT_DELTA_APPENDED);
	return r;
}

int __real_snapshot_file_sync(struct snapshot_file *f);
int __wrap_snapshot_file_sync(struct snapshot_file *f);

int __wrap_snapshot_file_sync(struct snapshot_file *f)
{
	int r = __real_snapshot_file_sync(f);
	pass(POINT_DELTA_SYNCED);
	return r;
}

static bool is_named(const char *path, const char *begin)
{
	const char *slash = strrchr(path, '/');
	return strncmp(slash ? slash + 1 : path, begin, strlen(begin)) == 0;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

int __wrap_rename(const char *from, const char *to)
{
	bool is_checkpoint = is_named(to, "checkpoint-"), is_snapshot = is_named(to, "snapshot");
	if (is_checkpoint)
		pass(POINT_CHECKPOINT_WRITTEN);
	if (is_snapshot)
		pass(POINT_SNAPSHOT_WRITTEN);
	int r = __real_rename(from, to);
	if (is_checkpoint)
		pass(POINT_CHECKPOINT_RENAMED);
	if (is_snapshot)
		pass(POINT_SNAPSHOT_RENAMED);
	return r;
}
