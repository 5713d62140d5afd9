#include "daemon/publish_file.h"

#include "base/check.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>

#define DELTA_SHARE 4 /* a base is due when the changes are this part of it */
#define DELTA_LIMIT                                                                                \
	((uint64_t)128 << 20) /* beyond the base's own size; readers take twice that               \
			       */

/* A base in the making. */
struct base {
	struct publish_file *of;
	pthread_t thread;
	struct sql_conn *reader;
	struct snapshot_file *file;
	uint64_t generation;
	uint64_t offset; /* of the file in use, when it began: what comes behind is carried over */
	int result;
	atomic_bool is_done, is_stopping;
};

struct publish_file {
	struct publish_file_options options;
	struct snapshot_file *current; /* in its place; NULL: nothing written yet */
	struct snapshot_file *before;  /* what current took the place of; NULL: nobody needs it */
	int64_t before_until;          /* real time, ms */
	struct base *base;             /* NULL: none in the making */
	uint64_t tried;                /* size at which a base came to nothing: not again soon */
	bool is_wanted;
};

static int64_t real_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

static uint64_t delta_size(const struct publish_file *f)
{
	return snapshot_file_size(f->current) - snapshot_file_base_size(f->current);
}

/* ---- Making a base ---- */

static int build(const struct publish_file *f, struct sql_conn *reader, uint64_t generation,
		 const atomic_bool *is_stopping, struct snapshot_file **ret)
{
	const struct publish_file_options *o = &f->options;
	struct snapshot_file *file;
	int r = snapshot_file_new(o->path, o->mode, o->gid, &file);
	if (r < 0)
		return r;
	r = snapshot_build(reader, o->settings, file, is_stopping);
	if (r == 0)
		r = snapshot_file_end_base(file, generation);
	if (r == 0)
		r = snapshot_file_sync(file); /* the long part of it, while nobody waits */
	if (r < 0)
		snapshot_file_free(file);
	else
		*ret = file;
	return r;
}

static void *run_base(void *ctx)
{
	struct base *base = ctx;
	base->result =
		build(base->of, base->reader, base->generation, &base->is_stopping, &base->file);
	atomic_store(&base->is_done, true);
	return NULL;
}

static int base_begin(struct publish_file *f)
{
	struct fault fault;
	struct sql_conn *reader = store_reader_open(f->options.store, &fault);
	if (!reader) {
		log_error("publish", "no new base: %s", fault.message);
		return -EIO;
	}
	struct base *base = g_new0(struct base, 1);
	base->of = f;
	base->reader = reader;
	base->generation = snapshot_file_generation(f->current);
	base->offset = snapshot_file_size(f->current);
	f->base = base;
	CHECK(pthread_create(&base->thread, NULL, run_base, base) == 0);
	return 0;
}

/* Its thread has ended, or is told to. */
static void base_free(struct base *base)
{
	if (!base)
		return;
	atomic_store(&base->is_stopping, true);
	CHECK(pthread_join(base->thread, NULL) == 0);
	store_reader_close(base->reader);
	snapshot_file_free(base->file);
	g_free(base);
}

static void take_over(struct publish_file *f, struct snapshot_file *next)
{
	snapshot_file_free(f->before);
	f->before = f->current;
	f->before_until = real_ms() + BEFORE_MS;
	f->current = next;
	f->tried = 0;
	f->is_wanted = false;
}

/* The rounds that came since it began are copied behind it. */
static int adopt(struct publish_file *f, struct base *base)
{
	if (base->result < 0)
		return base->result;
	int r = snapshot_file_carry(base->file, f->current, base->offset);
	if (r == 0)
		r = snapshot_file_take_place(base->file);
	if (r == 0)
		take_over(f, g_steal_pointer(&base->file));
	return r;
}

static int base_finish(struct publish_file *f)
{
	struct base *base = g_steal_pointer(&f->base);
	int r = adopt(f, base);
	base_free(base);
	f->tried = r < 0 ? snapshot_file_size(f->current) : 0;
	if (r < 0)
		log_warning("publish",
			    "a new base for the snapshot failed: %s; the one in use goes on",
			    g_strerror(-r));
	return r < 0 ? r : 1;
}

/* ---- Whole files ---- */

static int write_whole(struct publish_file *f, struct sql_conn *reader, uint64_t generation)
{
	struct snapshot_file *next;
	int r = build(f, reader, generation, NULL, &next);
	if (r < 0)
		return r;
	r = snapshot_file_take_place(next);
	if (r < 0)
		snapshot_file_free(next);
	else
		take_over(f, next);
	return r;
}

int publish_file_write(struct publish_file *f, struct sql_conn *reader, uint64_t generation)
{
	base_free(g_steal_pointer(&f->base)); /* both would write beside the path */
	int r = write_whole(f, reader, generation);
	if (r == -ENOSPC && store_make_room(f->options.store))
		r = write_whole(f, reader, generation);
	return r;
}

/* ---- Rounds ---- */

static int append_durably(struct publish_file *f, const struct snapshot_builder *records,
			  uint64_t generation)
{
	int r = snapshot_file_append(f->current, records, generation);
	if (r == -ENOSPC && store_make_room(f->options.store))
		r = snapshot_file_append(f->current, records, generation);
	return r < 0 ? r : snapshot_file_sync(f->current);
}

static void append_to_before(struct publish_file *f, const struct snapshot_builder *records,
			     uint64_t generation)
{
	if (f->before && snapshot_file_append(f->before, records, generation) == 0)
		return;
	snapshot_file_free(f->before);
	f->before = NULL;
}

static bool fits(const struct publish_file *f, const struct snapshot_builder *records)
{
	return delta_size(f) + snapshot_builder_size(records) <
	       snapshot_file_base_size(f->current) + DELTA_LIMIT;
}

bool publish_file_is_lost(const struct publish_file *f)
{
	return !f->current || !snapshot_file_is_intact(f->current);
}

int publish_file_append(struct publish_file *f, struct sql_conn *reader,
			const struct snapshot_builder *records, uint64_t generation)
{
	bool is_whole = publish_file_is_lost(f) || !fits(f, records);
	int r = is_whole ? publish_file_write(f, reader, generation)
			 : append_durably(f, records, generation);
	if (r == 0)
		append_to_before(f, records, generation);
	return r;
}

static bool is_base_due(const struct publish_file *f)
{
	uint64_t base = snapshot_file_base_size(f->current);
	uint64_t limit = base / DELTA_SHARE + f->options.delta_bytes;
	bool is_too_much = delta_size(f) > limit &&
			   (f->tried == 0 || snapshot_file_size(f->current) > f->tried + limit);
	return is_too_much || f->is_wanted;
}

static bool is_before_due(const struct publish_file *f)
{
	return f->before && real_ms() > f->before_until;
}

int publish_file_turn(struct publish_file *f)
{
	if (!f->current)
		return 0;
	if (is_before_due(f)) {
		snapshot_file_free(f->before);
		f->before = NULL;
	}
	if (f->base)
		return atomic_load(&f->base->is_done) ? base_finish(f) : 0;
	return is_base_due(f) ? base_begin(f) : 0;
}

bool publish_file_is_due(const struct publish_file *f)
{
	if (publish_file_is_lost(f) || is_before_due(f))
		return true;
	return f->base ? atomic_load(&f->base->is_done) : is_base_due(f);
}

void publish_file_want_base(struct publish_file *f)
{
	f->is_wanted = true;
}

struct publish_file *publish_file_new(const struct publish_file_options *options)
{
	struct publish_file *f = g_new0(struct publish_file, 1);
	f->options = *options;
	return f;
}

void publish_file_free(struct publish_file *f)
{
	if (!f)
		return;
	base_free(f->base);
	snapshot_file_free(f->current);
	snapshot_file_free(f->before);
	g_free(f);
}
