#include "mosquitto/rules.h"

#include <stdio.h>

#include "mosquitto/background.h"
#include "mosquitto/loading.h"
#include "mosquitto/options.h"

#define PARTS_A_POLL 1000
#define PAUSE_POLLS  10         /* before a file that was refused is tried again */
#define SMALL_MEMORY (4U << 20) /* bytes that are freed at once: more than a small file takes */

void rules_init(struct rules *r, const struct options *options)
{
	*r = (struct rules){.options = options};
}

void rules_release(struct rules *r)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *next = NULL;
	if (r->loading)
		(void)loading_end(r->loading, &next, why);
	background_end(r->discarding);
	snapshot_free(next);
	snapshot_free(r->retired);
	snapshot_free(r->snapshot);
	*r = (struct rules){.options = r->options};
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* The change time sees owner and mode too. */
static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

/* True when there is a file in the place that is not followed. One that was refused is tried again
 * at times: it may have been memory that was short, or descriptors. */
static bool is_next(struct rules *r)
{
	struct stat st = {0};
	if (lstat(r->options->snapshot, &st) < 0)
		st = (struct stat){0};
	if (r->snapshot && snapshot_is_file(r->snapshot, &st))
		return false;
	if (!same_file(&st, &r->tried)) {
		r->refused[0] = '\0';
	} else if (r->pause > 0) {
		r->pause--;
		return false;
	}
	r->tried = st;
	r->pause = PAUSE_POLLS;
	return true;
}

/* -1 for a reason that was not the last, which it is from now on. */
static int say_once(char last[SNAPSHOT_WHY_SIZE], const char *why)
{
	if (strcmp(last, why) == 0)
		return 0;
	memcpy(last, why, SNAPSHOT_WHY_SIZE);
	return -1;
}

static void put_in_force(struct rules *r, struct snapshot *next)
{
	r->retired = r->snapshot;
	r->snapshot = next;
	r->epoch++;
	r->dimensions++;
	r->told[0] = r->refused[0] = '\0';
}

/* ---- With nothing in force ---- */

/* Says once that there is no file, too. */
static int load_first(struct rules *r, char *why)
{
	struct snapshot *first;
	if (!is_next(r))
		return 0;
	if (snapshot_load(r->options->snapshot, r->options->daemon_uid, 0, &first, why,
			  SNAPSHOT_WHY_SIZE) < 0)
		return say_once(r->refused, why);
	put_in_force(r, first);
	return 0;
}

/* ---- A new file ---- */

static int begin_loading(struct rules *r, char *why)
{
	r->loading = loading_begin(r->options->snapshot, (uint64_t)r->tried.st_size,
				   r->options->daemon_uid, rules_generation(r));
	if (r->loading)
		return 0;
	(void)snprintf(why, SNAPSHOT_WHY_SIZE, "there is no memory or thread to read it");
	return say_once(r->refused, why);
}

/* What came while it was read, up to now. */
static int catch_up(struct snapshot *next, char *why)
{
	for (;;) {
		int rc = snapshot_follow(next, NULL, why, SNAPSHOT_WHY_SIZE);
		if (rc <= 0)
			return rc;
	}
}

static int end_loading(struct rules *r, char *why)
{
	struct snapshot *next;
	int rc = loading_end(r->loading, &next, why);
	r->loading = NULL;
	if (rc == 0)
		rc = catch_up(next, why);
	if (rc == 0 && snapshot_in_force(next) < rules_generation(r)) {
		(void)snprintf(why, SNAPSHOT_WHY_SIZE, "its generation is older by now");
		rc = -1;
	}
	if (rc < 0) {
		snapshot_free(next);
		return say_once(r->refused, why);
	}
	put_in_force(r, next);
	return 0;
}

/* ---- The file in force ---- */

/* Says why only once: a part may stay as it is until a new file comes. */
static int follow(struct rules *r, struct snapshot_news *news, char *why)
{
	int rc = 1;
	for (unsigned i = 0; i < PARTS_A_POLL && rc == 1; i++)
		rc = snapshot_follow(r->snapshot, news, why, SNAPSHOT_WHY_SIZE);
	r->has_more = rc == 1;
	r->epoch += news->is_all;
	r->dimensions += news->has_dimensions;
	if (rc < 0)
		return say_once(r->told, why);
	r->told[0] = '\0';
	return 0;
}

int rules_poll(struct rules *r, void (*on_cert)(void *ctx, const uint8_t *fingerprint), void *ctx,
	       char *why)
{
	struct snapshot_news news = {.on_cert = on_cert, .ctx = ctx};
	if (!r->snapshot)
		return load_first(r, why);
	if (!r->loading && is_next(r) && begin_loading(r, why) < 0)
		return -1;
	/* One that is retired is still pointed into: first things first. */
	if (r->loading && !r->retired && loading_is_done(r->loading))
		return end_loading(r, why);
	return follow(r, &news, why);
}

bool rules_are_busy(const struct rules *r)
{
	return r->loading || r->has_more;
}

static void discard(void *snapshot)
{
	snapshot_free(snapshot);
}

void rules_let_go(struct rules *r)
{
	if (!r->retired || !background_is_done(r->discarding))
		return;
	background_end(r->discarding);
	r->discarding = NULL;
	if (snapshot_memory(r->retired) > SMALL_MEMORY)
		r->discarding = background_begin(discard, r->retired);
	if (!r->discarding)
		snapshot_free(r->retired);
	r->retired = NULL;
}

uint64_t rules_generation(const struct rules *r)
{
	return r->snapshot ? snapshot_in_force(r->snapshot) : 0;
}

bool rules_know(const struct rules *r, const uint8_t *fingerprint)
{
	struct snapshot_cert cert;
	return r->snapshot && snapshot_find(r->snapshot, fingerprint, &cert);
}

/* What speaks against a certificate by its status alone. */
static const enum cause status_causes[SNAPSHOT_CERT_STATUSES] = {
	[SNAPSHOT_CERT_ACTIVE] = CAUSE_NONE,
	[SNAPSHOT_CERT_INACTIVE] = CAUSE_CERT_INACTIVE,
	[SNAPSHOT_CERT_REVOKED] = CAUSE_CERT_REVOKED,
	[SNAPSHOT_CERT_PENDING_TRANSFER] = CAUSE_CERT_PENDING,
	[SNAPSHOT_CERT_REGISTER_INACTIVE] = CAUSE_CERT_INACTIVE,
	[SNAPSHOT_CERT_PENDING_ACTIVATION] = CAUSE_CERT_PENDING,
};

enum cause rules_refusal(const struct rules *r, const uint8_t *fingerprint, int64_t now_s,
			 struct snapshot_cert *ret)
{
	if (!r->snapshot)
		return CAUSE_NO_SNAPSHOT;
	if (!snapshot_find(r->snapshot, fingerprint, ret))
		return CAUSE_CERT_UNKNOWN;
	enum cause cause = status_causes[ret->status];
	if (!cause && now_s < ret->not_before)
		cause = CAUSE_CERT_NOT_YET_VALID;
	if (!cause && now_s > ret->not_after)
		cause = CAUSE_CERT_EXPIRED;
	return cause;
}
