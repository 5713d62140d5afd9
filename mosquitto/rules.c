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
