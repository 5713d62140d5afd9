#include "mosquitto/rules.h"

#include "mosquitto/options.h"

void rules_init(struct rules *r, const struct options *options)
{
	*r = (struct rules){.options = options};
}

void rules_release(struct rules *r)
{
	snapshot_free(r->snapshot);
	r->snapshot = NULL;
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

static struct stat look_at(const struct rules *r)
{
	struct stat st;
	if (lstat(r->options->snapshot, &st) < 0)
		return (struct stat){0};
	return st;
}

bool rules_file_changed(const struct rules *r)
{
	struct stat now = look_at(r);
	return !same_file(&now, &r->tried);
}

int rules_load(struct rules *r, char *why)
{
	r->tried = look_at(r);
	struct snapshot *next;
	if (snapshot_load(r->options->snapshot, r->options->daemon_uid, rules_generation(r), &next,
			  why, SNAPSHOT_WHY_SIZE) < 0)
		return -1;
	snapshot_free(r->snapshot);
	r->snapshot = next;
	r->epoch++;
	return 0;
}

uint64_t rules_generation(const struct rules *r)
{
	return r->snapshot ? snapshot_in_force(r->snapshot) : 0;
}

const char *rules_refusal(const struct rules *r, const uint8_t *fingerprint, int64_t now_s,
			  struct snapshot_cert *ret)
{
	if (!r->snapshot)
		return "no usable snapshot";
	if (!snapshot_find(r->snapshot, fingerprint, ret))
		return "certificate is not registered";
	if (ret->status != SNAPSHOT_CERT_ACTIVE)
		return "certificate is not ACTIVE";
	if (now_s < ret->not_before)
		return "certificate is not yet valid";
	if (now_s > ret->not_after)
		return "certificate has expired";
	return NULL;
}
