#include "detect/judge.h"

#include "base/chance.h"
#include "base/sha256.h"
#include "detect/criteria.h"

#include <errno.h>

/* The first 16 bytes of SHA-256 over what the violation comes from: the same entry gives the same
 * id on every machine and after every crash. The partition's number is 0 while there is one. */
static void violation_id(const struct outlet *out, struct view thing, struct view profile,
			 struct view behavior, uint8_t id[DEVICE_ALARM_ID])
{
	uint8_t buf[3 * (2 + UINT8_MAX) + 16], digest[SHA256_SIZE];
	struct writer w = writer_of(buf, sizeof(buf));
	write_str16(&w, thing);
	write_str16(&w, profile);
	write_str16(&w, behavior);
	write_u32(&w, 0);
	write_u64(&w, out->seq);
	write_u32(&w, out->index);
	struct sha256 sha;
	sha256_init(&sha);
	sha256_add(&sha, buf, w.len);
	sha256_end(&sha, digest);
	memcpy(id, digest, DEVICE_ALARM_ID);
}

static int emit(struct outlet *out, enum effect_kind kind, const struct config *config,
		const struct device *d, const struct track *t, const struct alarm *alarm,
		const struct value *v, bool is_own)
{
	const struct behavior *b = &config->behaviors[t->behavior];
	struct effect effect = {
		.kind = kind,
		.seq = out->seq,
		.index = out->index++,
		.thing = device_name(d),
		.profile = config->profiles[b->profile].name,
		.behavior = b->name,
		.behavior_json = b->json,
		.at_ms = out->at_ms,
		.start_ms = alarm->start_ms,
		.criteria = (uint8_t)b->type,
		.is_suppressed = b->is_suppressed,
		.is_own = is_own,
	};
	if (v)
		effect.value = *v;
	hex_encode(alarm->id, sizeof(alarm->id), effect.violation_id);
	return out->fn(&effect, out->ctx);
}

static void count_up(uint8_t *counter)
{
	*counter = (uint8_t)(*counter + (*counter < UINT8_MAX));
}

static struct alarm *alarm_raise(const struct outlet *out, const struct config *config,
				 struct shard *s, struct device *d, struct track *t, bool is_own)
{
	struct alarm *alarm = track_add_alarm(s, d, t);
	if (!alarm)
		return NULL;
	const struct behavior *b = &config->behaviors[t->behavior];
	alarm->start_ms = out->at_ms;
	alarm->is_own = is_own;
	violation_id(out, device_name(d), config->profiles[b->profile].name, b->name, alarm->id);
	return alarm;
}

static int judge_bad(struct outlet *out, const struct config *config, struct shard *s,
		     struct device *d, struct track *t, const struct value *v, bool is_own)
{
	t->good = 0;
	count_up(&t->bad);
	struct alarm *alarm = track_alarm(s, t);
	enum effect_kind kind = EFFECT_STILL;
	if (!alarm) {
		if (t->bad < config->behaviors[t->behavior].to_alarm)
			return 0;
		alarm = alarm_raise(out, config, s, d, t, is_own);
		if (!alarm)
			return -ENOMEM;
		kind = EFFECT_IN_ALARM;
	}
	alarm->last_ms = out->at_ms;
	return emit(out, kind, config, d, t, alarm, v, is_own);
}

static int judge_good(struct outlet *out, const struct config *config, struct shard *s,
		      struct device *d, struct track *t, const struct value *v, bool is_own)
{
	t->bad = 0;
	count_up(&t->good);
	struct alarm *alarm = track_alarm(s, t);
	if (!alarm)
		return 0;
	alarm->last_ms = out->at_ms;
	if (t->good < config->behaviors[t->behavior].to_clear)
		return 0;
	struct alarm ended = *alarm;
	track_drop_alarm(s, d, t);
	return emit(out, EFFECT_CLEARED, config, d, t, &ended, v, is_own);
}

int judge(struct outlet *out, const struct config *config, struct shard *s, struct device *d,
	  struct track *t, const struct value *v, bool is_own)
{
	bool is_good = criteria_hold(&config->behaviors[t->behavior], v);
	return (is_good ? judge_good : judge_bad)(out, config, s, d, t, v, is_own);
}

int judge_invalidate(struct outlet *out, const struct config *config, struct shard *s,
		     struct device *d, struct track *t)
{
	const struct alarm *alarm = track_alarm(s, t);
	if (!alarm)
		return 0;
	struct alarm ended = *alarm;
	track_drop_alarm(s, d, t);
	t->bad = t->good = 0;
	return emit(out, EFFECT_INVALIDATED, config, d, t, &ended, NULL, ended.is_own);
}
