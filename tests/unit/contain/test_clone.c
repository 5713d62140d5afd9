/* The scorer against a labelled generator: who cuts whom off is simulated, device by device, with
 * their back-off, their rhythm of messages and their networks; the label is known, the scorer sees
 * only what a broker sees. The figures are printed. */
#include "base/chance.h"
#include "base/compiler.h"
#include "contain/clone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define CASES    3000 /* of each class */
#define WITHIN   3    /* take-overs until the verdict */
#define BENIGN   100000
#define EACH     20 /* reconnects of one benign device */
#define HOUR_MS  (3600 * INT64_C(1000))
#define START_MS (1000 * HOUR_MS)

/* ---- Chance ---- */

static uint64_t below(struct chance chance, uint64_t n)
{
	uint64_t x;
	chance.fill(chance.ctx, &x, sizeof(x));
	return x % n;
}

static int64_t between(struct chance chance, int64_t low, int64_t high)
{
	return low + (int64_t)below(chance, (uint64_t)(high - low + 1));
}

static bool percent(struct chance chance, unsigned n)
{
	return below(chance, 100) < n;
}

/* Many short, few long: low, then each doubling half as likely. */
static int64_t skewed(struct chance chance, int64_t low, int64_t high)
{
	int64_t top = low * 2;
	while (top < high && percent(chance, 50))
		top *= 2;
	return between(chance, top / 2, top < high ? top : high);
}

static void far_address(struct chance chance, char ret[CLONE_ADDRESS_SIZE])
{
	unsigned a = (unsigned)between(chance, 1, 220), b = (unsigned)below(chance, 256);
	if (percent(chance, 20))
		(void)snprintf(ret, CLONE_ADDRESS_SIZE, "2001:db8:%x:%x::7", a, b);
	else
		(void)snprintf(ret, CLONE_ADDRESS_SIZE, "%u.%u.51.7", a, b);
}

static void near_address(struct chance chance, unsigned pool, char ret[CLONE_ADDRESS_SIZE])
{
	(void)snprintf(ret, CLONE_ADDRESS_SIZE, "198.51.100.%u", (unsigned)below(chance, pool) + 1);
}

static const uint16_t keep_alives[] = {30, 60, 300, 1200};

static struct clone_end new_end(struct chance chance)
{
	struct clone_end end = {.keep_alive_s = keep_alives[below(chance, ARRAY_LEN(keep_alives))],
				.flags = (uint8_t)below(chance, 8)};
	chance.fill(chance.ctx, end.fingerprint, sizeof(end.fingerprint));
	far_address(chance, end.address);
	return end;
}

/* ---- Two that live: clones and twins ---- */

struct actor {
	struct clone_end end;
	int64_t every_ms; /* it sends a message as often */
	int64_t first_delay_ms, delay_ms;
	int64_t since_ms; /* connected */
};

static struct actor new_actor(struct chance chance, const struct clone_end *end)
{
	int64_t delay = skewed(chance, 250, 4000);
	return (struct actor){*end, skewed(chance, 200, 60000), delay, delay, 0};
}

/* When it was cut off it comes back after its back-off: doubled until it stays for 20 s. */
static int64_t comes_back(struct chance chance, struct actor *actor, int64_t stayed_ms)
{
	if (stayed_ms > 20000)
		actor->delay_ms = actor->first_delay_ms;
	int64_t delay = between(chance, actor->delay_ms / 2, actor->delay_ms);
	actor->delay_ms = actor->delay_ms * 2 < 120000 ? actor->delay_ms * 2 : 120000;
	return delay;
}

static struct clone_takeover cut_off(const struct actor *old, const struct actor *new, int64_t now)
{
	int64_t connected = now - old->since_ms;
	int64_t idle = connected < 100 ? connected : (connected - 100) % old->every_ms;
	return (struct clone_takeover){old->end, new->end, now, connected, idle};
}

/* Takes `n` take-overs of two actors into a new case. */
static struct clone_case fight(struct chance chance, struct actor pair[2], unsigned n)
{
	struct clone_case c = {0};
	int64_t now = START_MS;
	pair[0].since_ms = now - skewed(chance, 60000, 100 * HOUR_MS);
	for (unsigned i = 0; i < n; i++) {
		struct actor *old = &pair[i % 2], *new = &pair[(i + 1) % 2];
		struct clone_takeover t = cut_off(old, new, now);
		(void)clone_take(&c, &t);
		new->since_ms = now;
		now += comes_back(chance, old, t.from_connected_ms);
	}
	return c;
}

static struct clone_case a_clone(struct chance chance)
{
	struct clone_end end = new_end(chance), copy = end;
	uint64_t where = below(chance, 100);
	struct clone_end other = new_end(chance);
	if (where < 80) {
		memcpy(copy.address, other.address, sizeof(copy.address));
	} else if (where < 92) {
		near_address(chance, 100, end.address);
		(void)snprintf(copy.address, sizeof(copy.address), "198.51.100.%u", 200U);
	}
	/* The last 2 in 100 stand behind the same address with the same settings. */
	if ((where >= 92 && where < 98) || percent(chance, where < 92 ? 40 : 0)) {
		copy.keep_alive_s = (uint16_t)(end.keep_alive_s + 15);
		copy.flags = other.flags;
	}
	struct actor pair[] = {new_actor(chance, &end), new_actor(chance, &copy)};
	return fight(chance, pair, WITHIN);
}

static struct clone_case a_twin(struct chance chance)
{
	struct clone_end end = new_end(chance), other = end;
	chance.fill(chance.ctx, other.fingerprint, sizeof(other.fingerprint));
	if (percent(chance, 70))
		near_address(chance, 250, other.address);
	struct actor pair[] = {new_actor(chance, &end), new_actor(chance, &other)};
	return fight(chance, pair, WITHIN);
}

/* ---- One device whose connection breaks ---- */

struct device {
	struct clone_end end;
	int64_t every_ms;
	int64_t now, since_ms;
	bool is_crashing; /* comes back seconds after each start, for ever */
	unsigned pool; /* addresses of a NAT that gives another one for each connection; 0: none */
	char second[CLONE_ADDRESS_SIZE]; /* of the network it changes to and from; "": none */
	bool is_roaming;                 /* always on to another network */
};

/* How long a session stands, and how long the network is away then. */
static int64_t stays(struct chance chance, const struct device *d)
{
	if (d->is_crashing)
		return between(chance, 1000, 20000);
	if (!d->second[0])
		return skewed(chance, 5000, 24 * HOUR_MS);
	return percent(chance, 20) ? between(chance, 3000, 15000) : skewed(chance, 20000, HOUR_MS);
}

static int64_t is_away(struct chance chance, const struct device *d)
{
	if (d->is_crashing)
		return between(chance, 2000, 10000);
	if (d->second[0] || d->is_roaming)
		return between(chance, 1500, 8000);
	return skewed(chance, 1000, 2 * HOUR_MS);
}

static void moves(struct chance chance, struct device *d)
{
	char here[CLONE_ADDRESS_SIZE];
	memcpy(here, d->end.address, sizeof(here));
	if (d->is_roaming)
		far_address(chance, d->end.address);
	else if (d->pool)
		near_address(chance, d->pool, d->end.address);
	else if (d->second[0]) {
		memcpy(d->end.address, d->second, sizeof(here));
		memcpy(d->second, here, sizeof(here));
		if (percent(chance, 30)) /* the carrier hands out another one */
			far_address(chance, d->second);
	}
}

static bool breaks(struct chance chance, struct device *d, struct clone_case *c)
{
	int64_t stayed = stays(chance, d), away = is_away(chance, d);
	struct clone_end from = d->end;
	d->now = d->since_ms + stayed + away;
	moves(chance, d);
	d->since_ms = d->now;
	/* The broker notices the silence by itself after one and a half keep-alives, or hears the
	 * end. */
	int64_t idle = away + stayed % d->every_ms;
	bool is_over = idle > from.keep_alive_s * INT64_C(1500) || percent(chance, 10);
	if (is_over)
		return clone_ended(c, d->now);
	const struct clone_takeover t = {from, d->end, d->now, stayed + away, idle};
	return clone_take(c, &t);
}

static struct device new_device(struct chance chance)
{
	struct device d = {.end = new_end(chance),
			   .every_ms = skewed(chance, 200, 60000),
			   .since_ms = START_MS,
			   .is_crashing = percent(chance, 20)};
	uint64_t kind = below(chance, 4);
	if (kind == 0)
		d.pool = (unsigned)between(chance, 4, 64);
	else if (kind == 1)
		far_address(chance, d.second);
	else if (kind == 2)
		d.is_roaming = percent(chance, 50);
	if (d.second[0] || d.is_roaming)
		d.is_crashing = false;
	return d;
}

static struct clone_case a_link(struct chance chance, unsigned reconnects, uint64_t *clones)
{
	struct device d = new_device(chance);
	struct clone_case c = {0};
	for (unsigned i = 0; i < reconnects; i++) {
		bool changed = breaks(chance, &d, &c);
		*clones += changed && c.verdict == CLONE_CLONE;
	}
	return c;
}

/* ---- Figures ---- */

static void test_classes(void **state)
{
	(void)state;
	uint64_t seed = 20260101, clones = 0;
	struct chance chance = chance_seeded(&seed);
	unsigned told[CLONE_VERDICTS][CLONE_VERDICTS] = {0}; /* label, verdict */
	for (unsigned i = 0; i < CASES; i++) {
		told[CLONE_CLONE][a_clone(chance).verdict]++;
		told[CLONE_TWIN][a_twin(chance).verdict]++;
		told[CLONE_LINK][a_link(chance, EACH, &clones).verdict]++;
	}
	unsigned all = told[CLONE_CLONE][CLONE_CLONE] + told[CLONE_TWIN][CLONE_CLONE] +
		       told[CLONE_LINK][CLONE_CLONE];
	double precision = told[CLONE_CLONE][CLONE_CLONE] / (double)all;
	double recall = told[CLONE_CLONE][CLONE_CLONE] / (double)CASES;
	for (int label = CLONE_CLONE; label < CLONE_VERDICTS; label++)
		print_message("%-13s undecided %4u  clone %4u  twin %4u  unstable-link %4u\n",
			      clone_verdict_name((enum clone_verdict)label), told[label][0],
			      told[label][1], told[label][2], told[label][3]);
	print_message("clone: precision %.4f recall %.4f within %d take-overs\n", precision, recall,
		      WITHIN);
	assert_true(precision >= 0.95);
	assert_true(recall >= 0.95);
	assert_true(told[CLONE_TWIN][CLONE_TWIN] >= CASES * 95 / 100);
}

static void test_benign(void **state)
{
	(void)state;
	uint64_t seed = 7, clones = 0, links = 0;
	struct chance chance = chance_seeded(&seed);
	for (unsigned i = 0; i < BENIGN / EACH; i++)
		links += a_link(chance, EACH, &clones).verdict == CLONE_LINK;
	print_message("%d benign reconnects of %d devices: %u clone verdicts, %u unstable links\n",
		      BENIGN, BENIGN / EACH, (unsigned)clones, (unsigned)links);
	assert_int_equal(clones, 0);
}

/* ---- By hand ---- */

static const struct clone_end home = {.address = "192.0.2.1", .keep_alive_s = 60, .flags = 3};

static struct clone_end elsewhere(const char *address)
{
	struct clone_end end = home;
	(void)snprintf(end.address, sizeof(end.address), "%s", address);
	return end;
}

static void test_rotation(void **state)
{
	(void)state;
	struct clone_end renewed = home;
	renewed.fingerprint[0] = 1;
	struct clone_case c = {0};
	const struct clone_takeover once = {home, renewed, START_MS, HOUR_MS, 2000};
	assert_false(clone_take(&c, &once));
	assert_int_equal(c.verdict, CLONE_UNDECIDED);
	assert_int_equal(c.takeovers, 1);
}

static void test_silence_ends_a_case(void **state)
{
	(void)state;
	struct clone_end away = elsewhere("203.0.113.9");
	struct clone_case c = {0};
	struct clone_takeover t = {home, away, START_MS, HOUR_MS, 100};
	(void)clone_take(&c, &t);
	t.at_ms += CLONE_SILENT_MS + 1;
	(void)clone_take(&c, &t);
	assert_int_equal(c.takeovers, 1);
	assert_int_equal(c.first_ms, t.at_ms);
	assert_false(clone_ended(&c, t.at_ms + CLONE_SILENT_MS + 1));
}

static struct clone_case beside(const char *address)
{
	struct clone_end here = elsewhere(address), there = home;
	memcpy(there.client, "x", 2);
	memcpy(here.client, "y", 2);
	struct clone_case c = {0};
	assert_false(clone_beside(&c, &there, &here, START_MS));
	return c;
}

static void test_both_live(void **state)
{
	(void)state;
	struct clone_case c = beside("203.0.113.9");
	/* The one that was there may be a dead connection until its keep-alive has run out. */
	assert_false(clone_lives(&c, "x", START_MS + 90000, false));
	assert_false(clone_lives(&c, "y", START_MS + 500000, true));
	assert_false(clone_lives(&c, "x", START_MS, true));
	assert_true(clone_lives(&c, "x", START_MS + 90001, false));
	assert_int_equal(c.verdict, CLONE_CLONE);
	assert_false(clone_lives(&c, "x", START_MS + 100000, true)); /* told once */

	c = beside("203.0.113.9");
	assert_true(clone_lives(&c, "x", START_MS + 1, true));
	c = beside("192.0.2.200"); /* in one network: two programs of one device, perhaps */
	assert_false(clone_lives(&c, "x", START_MS + 1, true));
	assert_int_equal(c.verdict, CLONE_UNDECIDED);
}

static void test_without_keep_alive_nothing_is_proven(void **state)
{
	(void)state;
	struct clone_case c = beside("203.0.113.9");
	c.a.keep_alive_s = 0;
	assert_false(clone_lives(&c, "x", START_MS + HOUR_MS, false));
	assert_true(clone_lives(&c, "x", START_MS + HOUR_MS, true));
}

static void test_bytes(void **state)
{
	(void)state;
	struct clone_end away = elsewhere("2001:db8::9");
	struct clone_case c = {0}, again;
	const struct clone_takeover t = {home, away, START_MS, HOUR_MS, 100};
	(void)clone_take(&c, &t);
	uint8_t bytes[CLONE_CASE_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));
	clone_write(&c, &w);
	assert_false(w.full);
	assert_int_equal(clone_read((struct view){(char *)bytes, w.len}, &again), 0);
	assert_memory_equal(&again, &c, sizeof(c));
	for (size_t n = 0; n < w.len; n++)
		assert_int_equal(clone_read((struct view){(char *)bytes, n}, &again), -1);
	bytes[0]++;
	assert_int_equal(clone_read((struct view){(char *)bytes, w.len}, &again), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_benign),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_silence_ends_a_case),
		cmocka_unit_test(test_both_live),
		cmocka_unit_test(test_without_keep_alive_nothing_is_proven),
		cmocka_unit_test(test_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
