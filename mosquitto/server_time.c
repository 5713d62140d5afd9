#include "mosquitto/server_time.h"

#include <time.h>

static int64_t clock_ms(clockid_t id)
{
	struct timespec now;
	if (clock_gettime(id, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC_COARSE);
}

void server_time_told(struct server_time *t, int64_t now_ms, int64_t at_ms)
{
	t->told_ms = now_ms;
	t->told_at_ms = at_ms;
}

int64_t server_time_ms(const struct server_time *t, int64_t at_ms)
{
	if (t->told_ms == 0)
		return clock_ms(CLOCK_REALTIME_COARSE);
	return t->is_manual ? t->told_ms : t->told_ms + (at_ms - t->told_at_ms);
}
