/* The state as bytes, and back:
 *
 *     magic u32 | engine u32 | seq u64 | dropped u64 | datapoints u64 | config bytes32
 *     | n_devices u32 | devices, by shard and in each shard's order | SHA-256 of all before
 *
 * Everything is checked on the way in; a checkpoint that was damaged but has its sum right could
 * make wrong alarms, never wrong memory accesses. */
#include "detect/state.h"
#include "detect/window.h"

#include "base/sha256.h"

#include <errno.h>
#include <stdlib.h>

#define CHECKPOINT_MAGIC 0x43445754U /* "TWDC" */
#define CHECKPOINT_FIRST (1U << 16)

/* ---- Saving ---- */

static void save_alarm(struct writer *w, const struct alarm *alarm)
{
	write_u8(w, alarm != NULL);
	if (!alarm)
		return;
	write_raw(w, alarm->id, sizeof(alarm->id));
	write_i64(w, alarm->start_ms);
	write_i64(w, alarm->last_ms);
	write_u8(w, alarm->is_own);
}

static void save_device(struct writer *w, const struct shard *s, const struct device *dev)
{
	write_str16(w, device_name(dev));
	write_u8(w, dev->is_registered);
	write_u64(w, dev->last_report_id);
	write_i64(w, dev->last_report_ms);
	write_u32(w, dev->n_groups);
	const uint64_t *groups = device_groups(s, dev);
	for (uint32_t i = 0; i < dev->n_groups; i++)
		write_u64(w, groups[i]);
	write_u8(w, dev->is_tracked);
	write_u32(w, dev->n_tracks);
	const struct track *tracks = device_tracks(s, dev);
	for (uint32_t i = 0; i < dev->n_tracks; i++) {
		write_u32(w, tracks[i].behavior);
		write_u8(w, tracks[i].bad);
		write_u8(w, tracks[i].good);
		save_alarm(w, track_alarm(s, &tracks[i]));
	}
	for (unsigned i = 0; i < REPORT_COUNTERS; i++)
		window_save(&s->arena, dev->windows[i], w);
}

static uint32_t count_devices(const struct detect *d)
{
	uint32_t n = 0;
	for (size_t i = 0; i < DETECT_SHARDS; i++)
		n += d->shards[i].n_devices;
	return n;
}

static void save_all(struct writer *w, const struct detect *d, uint64_t seq)
{
	write_u32(w, CHECKPOINT_MAGIC);
	write_u32(w, DETECT_ENGINE);
	write_u64(w, seq);
	write_i64(w, d->mark_ms);
	write_u64(w, d->dropped_unregistered);
	write_u64(w, d->datapoints);
	write_bytes32(w, (struct view){(const char *)d->config->body, d->config->body_n});
	write_u32(w, count_devices(d));
	for (size_t i = 0; i < DETECT_SHARDS && !w->full; i++) {
		const struct shard *s = &d->shards[i];
		for (struct device *dev = device_first(s); dev; dev = device_next(s, dev))
			save_device(w, s, dev);
	}
}

static void digest_of(const uint8_t *bytes, size_t n, uint8_t digest[SHA256_SIZE])
{
	struct sha256 sha;
	sha256_init(&sha);
	sha256_add(&sha, bytes, n);
	sha256_end(&sha, digest);
}

/* The size is not known before: a buffer that was too small is doubled and filled again. */
int detect_save(const struct detect *d, uint64_t seq, uint8_t **ret_bytes, size_t *ret_n)
{
	struct detect_stats stats;
	detect_stats(d, &stats);
	size_t cap = CHECKPOINT_FIRST + d->config->body_n + stats.bytes;
	for (;; cap *= 2) {
		uint8_t *bytes = malloc(cap);
		if (!bytes)
			return -ENOMEM;
		struct writer w = writer_of(bytes, cap);
		save_all(&w, d, seq);
		uint8_t *digest = write_room(&w, SHA256_SIZE);
		if (digest) {
			digest_of(bytes, w.len - SHA256_SIZE, digest);
			*ret_bytes = bytes;
			*ret_n = w.len;
			return 0;
		}
		free(bytes);
	}
}

/* ---- Loading ---- */

static int load_alarm(struct reader *r, struct shard *s, struct device *dev, struct track *t)
{
	uint8_t has_alarm = read_u8(r);
	if (has_alarm == 0)
		return 0;
	const uint8_t *id = read_raw(r, DEVICE_ALARM_ID);
	if (!id || has_alarm > 1)
		return -EBADMSG;
	struct alarm *alarm = track_add_alarm(s, dev, t);
	if (!alarm)
		return -ENOMEM;
	memcpy(alarm->id, id, DEVICE_ALARM_ID);
	alarm->start_ms = read_i64(r);
	alarm->last_ms = read_i64(r);
	alarm->is_own = read_u8(r) == 1;
	return time_is_sane(alarm->last_ms) ? 0 : -EBADMSG;
}

static int load_tracks(struct reader *r, const struct config *config, struct shard *s,
		       struct device *dev)
{
	dev->is_tracked = read_u8(r) == 1;
	uint32_t n = read_u32(r);
	if (r->bad || n > config->n_behaviors || n > reader_left(r) / 7)
		return -EBADMSG;
	dev->tracks = n ? arena_take(&s->arena, n * sizeof(struct track)) : 0;
	if (n && !dev->tracks)
		return -ENOMEM;
	dev->n_tracks = n;
	struct track *tracks = device_tracks(s, dev);
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		struct track *t = &tracks[i];
		t->behavior = read_u32(r);
		t->bad = read_u8(r);
		t->good = read_u8(r);
		rc = load_alarm(r, s, dev, t);
		if (t->behavior >= config->n_behaviors || (i && t->behavior <= t[-1].behavior))
			rc = -EBADMSG;
	}
	return rc;
}

static int load_groups(struct reader *r, struct shard *s, struct device *dev)
{
	uint32_t n = read_u32(r);
	const uint8_t *groups = n <= ENTRY_GROUPS_MAX ? read_raw(r, n * sizeof(uint64_t)) : NULL;
	if (!groups)
		return -EBADMSG;
	struct reader list = reader_of(groups, n * sizeof(uint64_t));
	return device_set_groups(s, dev, list, n) ? 0 : -ENOMEM;
}

static int load_device(struct reader *r, struct detect *d)
{
	struct view name = read_str16(r);
	uint8_t registered = read_u8(r);
	if (r->bad || registered > 1 || !report_thing_valid(name))
		return -EBADMSG;
	struct device_key key = device_key_of(name, d->limits.secret);
	struct shard *s = &d->shards[key.shard];
	if (device_find(s, &key, registered == 1))
		return -EBADMSG;
	struct device *dev = device_add(s, &key, registered == 1);
	if (!dev)
		return -ENOMEM;
	d->n_unregistered += !dev->is_registered;
	dev->last_report_id = read_u64(r);
	dev->last_report_ms = read_i64(r);
	if (!time_is_sane(dev->last_report_ms))
		return -EBADMSG;
	int rc = load_groups(r, s, dev);
	if (rc == 0)
		rc = load_tracks(r, d->config, s, dev);
	for (unsigned i = 0; rc == 0 && i < REPORT_COUNTERS; i++)
		rc = window_load(&s->arena, &dev->windows[i], r);
	return rc;
}

static int load_config(struct reader *r, struct detect *d)
{
	struct config *config;
	int rc = config_open(read_bytes32(r), &config);
	if (rc != 0)
		return rc;
	config_free(d->config);
	d->config = config;
	return 0;
}

static int load_all(struct reader *r, struct detect *d)
{
	d->mark_ms = read_i64(r);
	d->dropped_unregistered = read_u64(r);
	d->datapoints = read_u64(r);
	int rc = load_config(r, d);
	uint32_t n = read_u32(r);
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = load_device(r, d);
	return rc != 0 ? rc : reader_done(r) ? 0 : -EBADMSG;
}

static bool is_whole(const uint8_t *bytes, size_t n)
{
	uint8_t digest[SHA256_SIZE];
	if (n < SHA256_SIZE)
		return false;
	digest_of(bytes, n - SHA256_SIZE, digest);
	return memcmp(digest, bytes + n - SHA256_SIZE, SHA256_SIZE) == 0;
}

int detect_load(const struct detect_limits *limits, const uint8_t *bytes, size_t n,
		struct detect **ret, uint64_t *ret_seq)
{
	if (!is_whole(bytes, n))
		return -EBADMSG;
	struct reader r = reader_of(bytes, n - SHA256_SIZE);
	uint32_t magic = read_u32(&r), engine = read_u32(&r);
	uint64_t seq = read_u64(&r);
	if (r.bad || magic != CHECKPOINT_MAGIC)
		return -EBADMSG;
	if (engine != DETECT_ENGINE)
		return -ENOTSUP;
	struct detect *d;
	int rc = detect_new(limits, &d);
	if (rc != 0)
		return rc;
	rc = load_all(&r, d);
	if (rc != 0) {
		detect_free(d);
		return rc;
	}
	*ret = d;
	*ret_seq = seq;
	return 0;
}
