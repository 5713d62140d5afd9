#include "api/rate.h"

#define MINUTE_MS 60000.0

static double content_at(const struct rate *rate, const struct rate_bucket *bucket, int64_t now_ms)
{
	int64_t passed_ms = now_ms > bucket->at_ms ? now_ms - bucket->at_ms : 0;
	double content = bucket->content + (double)passed_ms * (double)rate->per_minute / MINUTE_MS;
	return bucket->at_ms == 0 || content > (double)rate->burst ? (double)rate->burst : content;
}

bool rate_has(const struct rate *rate, const struct rate_bucket *bucket, int64_t now_ms)
{
	return content_at(rate, bucket, now_ms) >= 1.0;
}

bool rate_take(const struct rate *rate, struct rate_bucket *bucket, int64_t now_ms)
{
	double content = content_at(rate, bucket, now_ms);
	bool has = content >= 1.0;
	*bucket = (struct rate_bucket){now_ms, has ? content - 1.0 : content};
	return has;
}
