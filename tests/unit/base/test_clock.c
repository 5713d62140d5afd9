/* The manual clock: deadlines come in order, each at its own time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"

#include "base/chance.h"

#define N_MANY 500

struct event {
	struct script *script;
	int64_t again_in_ms; /* 0: set no further deadline */
	unsigned id;
};

struct script {
	struct clock *clock;
	unsigned ids[N_MANY];
	int64_t at[N_MANY], now[N_MANY];
	unsigned n, settled;
};

static void note(void *ctx, int64_t at_ms)
{
	struct event *e = ctx;
	struct script *s = e->script;
	assert_true(s->n < N_MANY);
	s->ids[s->n] = e->id;
	s->at[s->n] = at_ms;
	s->now[s->n++] = clock_now_ms(s->clock);
	if (e->again_in_ms)
		(void)clock_at(s->clock, at_ms + e->again_in_ms, note, e);
}

static void count_settle(void *ctx)
{
	((struct script *)ctx)->settled++;
}

static void runs_in_order_of_time_then_setting(void **state)
{
	(void)state;
	struct script s = {.clock = clock_new_manual(1000)};
	struct event e[] = {
		{&s, 0, 0},
                {&s, 0, 1},
                {&s, 0, 2},
                {&s, 0, 3}
        };
	(void)clock_at(s.clock, 1500, note, &e[0]);
	(void)clock_at(s.clock, 1200, note, &e[1]);
	(void)clock_at(s.clock, 1500, note, &e[2]);
	(void)clock_at(s.clock, 900, note,
		       &e[3]); /* past: due at once, the time does not go back */
	clock_advance(s.clock, 500, count_settle, &s);
	assert_int_equal(s.n, 4);
	static const unsigned order[] = {3, 1, 0, 2};
	static const int64_t now[] = {1000, 1200, 1500, 1500};
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(s.ids[i], order[i]);
		assert_int_equal(s.now[i], now[i]);
	}
	assert_int_equal(s.at[0], 900);
	assert_int_equal(s.settled, 6);
	assert_int_equal(clock_now_ms(s.clock), 1500);
	clock_free(s.clock);
}

static void repeats_through_an_advance(void **state)
{
	(void)state;
	struct script s = {.clock = clock_new_manual(0)};
	struct event e = {&s, 300000, 7};
	(void)clock_at(s.clock, 300000, note, &e);
	clock_advance(s.clock, 3600000, NULL, NULL);
	assert_int_equal(s.n, 12);
	assert_int_equal(s.now[11], 3600000);
	clock_free(s.clock);
}

static void forgets_what_is_cancelled(void **state)
{
	(void)state;
	struct script s = {.clock = clock_new_manual(0)};
	struct event e[N_MANY];
	uint64_t handles[N_MANY], seed = 42;
	struct chance chance = chance_seeded(&seed);
	for (unsigned i = 0; i < N_MANY; i++) {
		uint16_t at;
		chance.fill(chance.ctx, &at, sizeof(at));
		e[i] = (struct event){&s, 0, i};
		handles[i] = clock_at(s.clock, at, note, &e[i]);
		assert_true(handles[i] != 0);
	}
	for (unsigned i = 0; i < N_MANY; i += 3)
		clock_cancel(s.clock, handles[i]);
	clock_cancel(s.clock, handles[0]);
	clock_cancel(s.clock, 0);
	clock_advance(s.clock, 70000, NULL, NULL);
	assert_int_equal(s.n, N_MANY - (N_MANY + 2) / 3);
	for (unsigned i = 0; i < s.n; i++) {
		assert_true(s.ids[i] % 3 != 0);
		assert_true(i == 0 || s.at[i - 1] <= s.at[i]);
	}
	clock_free(s.clock);
}

/* A deadline that sets another for now does not hold clock_run. */
static void gives_the_loop_back(void **state)
{
	(void)state;
	struct script s = {.clock = clock_new_manual(1000)};
	struct event again = {&s, -1, 1}, later = {&s, 0, 2};
	(void)clock_at(s.clock, 1000, note, &again);
	assert_int_equal(clock_run(s.clock), 0);
	assert_int_equal(s.n, 1);
	again.again_in_ms = 0;
	(void)clock_at(s.clock, 1700, note, &later);
	assert_int_equal(clock_run(s.clock), 700);
	assert_int_equal(s.n, 2);
	clock_advance(s.clock, 700, NULL, NULL);
	assert_int_equal(clock_run(s.clock), -1);
	clock_free(s.clock);
}

static void follows_the_system(void **state)
{
	(void)state;
	struct clock *c = clock_new_real();
	struct script s = {.clock = c};
	struct event e = {&s, 0, 1};
	int64_t now = clock_now_ms(c);
	assert_false(clock_is_manual(c));
	assert_true(now > INT64_C(1600000000000));
	assert_true(clock_now_ms(c) >= now);
	(void)clock_at(c, now, note, &e);
	assert_int_equal(clock_run(c), -1);
	assert_int_equal(s.n, 1);
	clock_free(c);
	clock_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_in_order_of_time_then_setting),
		cmocka_unit_test(repeats_through_an_advance),
		cmocka_unit_test(forgets_what_is_cancelled),
		cmocka_unit_test(gives_the_loop_back),
		cmocka_unit_test(follows_the_system),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
