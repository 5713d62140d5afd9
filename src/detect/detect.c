#include "detect/detect.h"

#include "base/chance.h"
#include "detect/cover.h"
#include "detect/form.h"
#include "detect/state.h"

#include <errno.h>
#include <stdlib.h>

/* ---- The state ---- */

/* Before the first configuration there is one without profiles. */
static int config_empty(struct config **ret)
{
	uint8_t buf[8];
	struct writer w = writer_of(buf, sizeof(buf));
	config_write_begin(&w, 0);
	return config_open((struct view){(const char *)buf, w.len}, ret);
}

int detect_new(const struct detect_limits *limits, struct detect **ret)
{
	struct detect *d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->limits = *limits;
	int rc = config_empty(&d->config);
	if (rc != 0) {
		free(d);
		return rc;
	}
	*ret = d;
	return 0;
}

void detect_free(struct detect *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < DETECT_SHARDS; i++)
		shard_release(&d->shards[i]);
	config_free(d->config);
	free(d->arena.buf);
	free(d);
}

int64_t detect_mark(const struct detect *d)
{
	return d->mark_ms;
}

void detect_stats(const struct detect *d, struct detect_stats *ret)
{
	*ret = (struct detect_stats){.dropped_unregistered = d->dropped_unregistered,
				     .datapoints = d->datapoints};
	for (size_t i = 0; i < DETECT_SHARDS; i++) {
		const struct shard *s = &d->shards[i];
		ret->devices += s->n_devices;
		ret->registered += s->n_registered;
		ret->bytes += s->arena.bytes + s->n_buckets * sizeof(*s->buckets);
		ret->alarms_open += s->n_alarms;
	}
}

/* ---- Reports ---- */

/* The registered identity wins. A new name is an unregistered device, while there is room for one:
 * else *ret is NULL. */
static int reporter_find(struct detect *d, struct view name, struct shard **ret_shard,
			 struct device **ret)
{
	struct device_key key = device_key_of(name, d->limits.secret);
	struct shard *s = *ret_shard = &d->shards[key.shard];
	*ret = device_find(s, &key, true);
	if (!*ret)
		*ret = device_find(s, &key, false);
	if (*ret)
		return 0;
	if (d->n_unregistered >= d->limits.max_unregistered) {
		d->dropped_unregistered++;
		return 0;
	}
	*ret = device_add(s, &key, false);
	d->n_unregistered += *ret != NULL;
	return *ret ? 0 : -ENOMEM;
}

/* Without changes of configuration: the identity. */
static int device_cover(struct outlet *out, struct detect *d, struct shard *s, struct device *dev)
{
	struct lineage same = {.old = d->config, .new = d->config};
	return cover_device(out, &same, s, dev);
}

static int device_report(struct detect *d, struct outlet *out, struct shard *s, struct device *dev,
			 const struct report *report, bool is_own)
{
	int64_t since_ms = out->at_ms - dev->last_report_ms;
	struct form form = {.config = d->config, .report = report, .shard = s, .device = dev};
	form.cover_ms = dev->last_report_id == 0 ? d->limits.min_report_delta_ms
			: since_ms > 0           ? (uint64_t)since_ms
						 : 0;
	dev->last_report_id = report->report_id;
	dev->last_report_ms = out->at_ms;
	int rc = dev->is_tracked ? 0 : device_cover(out, d, s, dev);
	struct track *tracks = device_tracks(s, dev);
	for (uint32_t i = 0; rc == 0 && i < dev->n_tracks; i++) {
		struct value value;
		rc = form_value(&form, &d->config->behaviors[tracks[i].behavior], &value);
		if (rc == 1) {
			d->datapoints++;
			rc = judge(out, d->config, s, dev, &tracks[i], &value, is_own);
		}
	}
	return rc;
}

static int report_decode(struct detect *d, const struct entry_report *e, struct report *ret)
{
	struct report_refusal refusal;
	if (!d->arena.buf) {
		d->arena = (struct report_arena){.buf = malloc(REPORT_ARENA_SIZE),
						 .cap = REPORT_ARENA_SIZE};
		if (!d->arena.buf)
			return -ENOMEM;
	}
	return report_read(e->format, e->payload.p, e->payload.n, &d->arena, ret, &refusal) == 0
		       ? 0
		       : -EBADMSG;
}

static int step_report(struct detect *d, struct outlet *out, const struct detect_entry *entry)
{
	struct entry_report e;
	struct report decoded;
	if (entry_read_report(entry->body, &e) != 0)
		return -EBADMSG;
	const struct report *report = entry->report;
	int rc = 0;
	if (!report) {
		rc = report_decode(d, &e, &decoded);
		report = &decoded;
	}
	struct shard *s = NULL;
	struct device *dev = NULL;
	if (rc == 0)
		rc = reporter_find(d, e.thing, &s, &dev);
	return rc != 0 || !dev ? rc : device_report(d, out, s, dev, report, e.is_own);
}

/* ---- Configuration ---- */

static int recover_all(struct outlet *out, struct detect *d, const struct lineage *l)
{
	for (size_t i = 0; i < DETECT_SHARDS; i++) {
		struct shard *s = &d->shards[i];
		for (struct device *dev = device_first(s); dev; dev = device_next(s, dev)) {
			int rc = dev->is_tracked ? cover_device(out, l, s, dev) : 0;
			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

static int step_config(struct detect *d, struct outlet *out, const struct detect_entry *entry)
{
	struct config *config;
	struct lineage lineage;
	int rc = config_open(entry->body, &config);
	if (rc != 0)
		return rc;
	rc = lineage_make(d->config, config, &lineage);
	if (rc == 0)
		rc = recover_all(out, d, &lineage);
	lineage_release(&lineage);
	config_free(d->config);
	d->config = config;
	return rc;
}

/* ---- Things ---- */

static int invalidate_all(struct outlet *out, struct detect *d, struct shard *s, struct device *dev)
{
	struct track *tracks = device_tracks(s, dev);
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < dev->n_tracks; i++)
		rc = judge_invalidate(out, d->config, s, dev, &tracks[i]);
	return rc;
}

static void forget_unregistered(struct detect *d, struct shard *s, struct device *dev)
{
	device_remove(s, dev);
	d->n_unregistered--;
}

/* The thing takes over when the device was last heard of; the unregistered identity stays only
 * while it has an alarm, which lapses after two silent days. */
static struct device *register_device(struct detect *d, struct shard *s,
				      const struct device_key *key)
{
	struct device *dev = device_add(s, key, true), *was = device_find(s, key, false);
	if (!dev || !was)
		return dev;
	dev->last_report_id = was->last_report_id;
	dev->last_report_ms = was->last_report_ms;
	was->last_report_id = 0;
	if (was->n_alarms == 0)
		forget_unregistered(d, s, was);
	return dev;
}

static int thing_present(struct detect *d, struct outlet *out, struct shard *s,
			 const struct device_key *key, const struct entry_thing *e)
{
	struct device *dev = device_find(s, key, true);
	if (!dev)
		dev = register_device(d, s, key);
	if (!dev || !device_set_groups(s, dev, e->groups, e->n_groups))
		return -ENOMEM;
	return dev->is_tracked ? device_cover(out, d, s, dev) : 0;
}

static int thing_gone(struct detect *d, struct outlet *out, struct shard *s,
		      const struct device_key *key)
{
	struct device *dev = device_find(s, key, true);
	if (!dev)
		return 0;
	int rc = invalidate_all(out, d, s, dev);
	device_remove(s, dev);
	return rc;
}

static int step_thing(struct detect *d, struct outlet *out, const struct detect_entry *entry)
{
	struct entry_thing e;
	if (entry_read_thing(entry->body, &e) != 0)
		return -EBADMSG;
	struct device_key key = device_key_of(e.name, d->limits.secret);
	struct shard *s = &d->shards[key.shard];
	return e.is_registered ? thing_present(d, out, s, &key, &e) : thing_gone(d, out, s, &key);
}

/* ---- Marks ---- */

static int lapse_alarms(struct outlet *out, struct detect *d, struct shard *s, struct device *dev)
{
	struct track *tracks = device_tracks(s, dev);
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && dev->n_alarms > 0 && i < dev->n_tracks; i++) {
		const struct alarm *alarm = track_alarm(s, &tracks[i]);
		if (alarm && out->at_ms - alarm->last_ms > SILENCE_MAX_MS)
			rc = judge_invalidate(out, d->config, s, dev, &tracks[i]);
	}
	return rc;
}

static bool is_forgettable(const struct device *dev, int64_t t_ms)
{
	return !dev->is_registered && dev->n_alarms == 0 &&
	       t_ms - dev->last_report_ms > SILENCE_MAX_MS;
}

static int step_mark(struct detect *d, struct outlet *out, const struct detect_entry *entry)
{
	struct entry_mark e;
	if (entry_read_mark(entry->body, &e) != 0 || !time_is_sane(e.t_ms))
		return -EBADMSG;
	if (e.t_ms <= d->mark_ms)
		return 0; /* time does not go back */
	d->mark_ms = e.t_ms;
	out->at_ms = e.t_ms;
	for (size_t i = 0; i < DETECT_SHARDS; i++) {
		struct shard *s = &d->shards[i];
		for (struct device *dev = device_first(s), *next; dev; dev = next) {
			next = device_next(s, dev);
			int rc = lapse_alarms(out, d, s, dev);
			if (rc != 0)
				return rc;
			if (is_forgettable(dev, e.t_ms))
				forget_unregistered(d, s, dev);
		}
	}
	return 0;
}

/* ---- Steps ---- */

static int step_broker(struct detect *d, struct outlet *out, const struct detect_entry *entry)
{
	struct entry_broker e;
	(void)d;
	(void)out;
	return entry_read_broker(entry->body, &e) == 0 ? 0 : -EBADMSG;
}

static int step_hello(struct detect *d, struct outlet *out, const struct detect_entry *entry)
{
	struct entry_hello e;
	(void)d;
	(void)out;
	return entry_read_hello(entry->body, &e) == 0 ? 0 : -EBADMSG;
}

static int step_event(struct detect *d, struct outlet *out, const struct detect_entry *entry)
{
	struct entry_event e;
	(void)d;
	(void)out;
	return entry_read_event(entry->body, &e) == 0 ? 0 : -EBADMSG;
}

int detect_step(struct detect *d, const struct detect_entry *entry, effect_fn *fn, void *ctx)
{
	static int (*const steps[])(struct detect *, struct outlet *,
				    const struct detect_entry *) = {
		[ENTRY_REPORT] = step_report, [ENTRY_CONFIG] = step_config,
		[ENTRY_THING] = step_thing,   [ENTRY_MARK] = step_mark,
		[ENTRY_CUT] = step_broker,    [ENTRY_BROKER_GONE] = step_broker,
		[ENTRY_EVENT] = step_event,   [ENTRY_HELLO] = step_hello,
	};
	struct outlet out = {.seq = entry->seq, .at_ms = entry->at_ms, .fn = fn, .ctx = ctx};
	if ((unsigned)entry->kind >= ARRAY_LEN(steps) || !steps[entry->kind] ||
	    !time_is_sane(entry->at_ms))
		return -EBADMSG;
	return steps[entry->kind](d, &out, entry);
}

/* ---- Walks ---- */

void detect_each_device(const struct detect *d, detect_device_fn *fn, void *ctx)
{
	for (size_t i = 0; i < DETECT_SHARDS; i++) {
		const struct shard *s = &d->shards[i];
		for (struct device *dev = device_first(s); dev; dev = device_next(s, dev))
			if (dev->last_report_id != 0)
				fn(device_name(dev), dev->last_report_id, dev->last_report_ms, ctx);
	}
}

static void each_alarm_of(const struct detect *d, const struct shard *s, const struct device *dev,
			  detect_alarm_fn *fn, void *ctx)
{
	const struct track *tracks = device_tracks(s, dev);
	for (uint32_t i = 0; i < dev->n_tracks; i++) {
		const struct alarm *alarm = track_alarm(s, &tracks[i]);
		if (!alarm)
			continue;
		const struct behavior *b = &d->config->behaviors[tracks[i].behavior];
		char id[VIOLATION_ID_SIZE];
		hex_encode(alarm->id, sizeof(alarm->id), id);
		fn(device_name(dev), d->config->profiles[b->profile].name, b->name, id, ctx);
	}
}

void detect_each_alarm(const struct detect *d, detect_alarm_fn *fn, void *ctx)
{
	for (size_t i = 0; i < DETECT_SHARDS; i++) {
		const struct shard *s = &d->shards[i];
		for (struct device *dev = device_first(s); dev; dev = device_next(s, dev))
			each_alarm_of(d, s, dev, fn, ctx);
	}
}
