/* How often something may happen: a bucket that holds `burst` and fills by `per_minute`. Times come
 * in from outside. */
#ifndef API_RATE_H
#define API_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	int64_t burst, per_minute;
};

struct rate_bucket {
	int64_t at_ms;  /* when it was last looked at; 0: never, and it is full */
	double content; /* as of then */
};

/* Whether there is one in it now; rate_take takes it when there is. */
bool rate_has(const struct rate *rate, const struct rate_bucket *bucket, int64_t now_ms);
bool rate_take(const struct rate *rate, struct rate_bucket *bucket, int64_t now_ms);

#endif
