/* Damaged clone cases: refused, or understood, written again as the same, and good for another
 * take-over. The first bytes of the input are what happens to it then. */
/* covers: src/contain/clone.c */
#include "base/check.h"
#include "contain/clone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void write_again(const struct clone_case *c)
{
	uint8_t bytes[CLONE_CASE_SIZE];
	struct clone_case again;
	struct writer w = writer_of(bytes, sizeof(bytes));
	clone_write(c, &w);
	CHECK(!w.full);
	CHECK(clone_read((struct view){(const char *)bytes, w.len}, &again) == 0);
	CHECK(memcmp(c, &again, sizeof(again)) == 0);
}

/* Each byte is one event; the times go on from the case's own, which may be anything sane. */
static void live_on(struct clone_case *c, const uint8_t *events, size_t n)
{
	struct clone_end ends[] = {
		c->a, c->b, {.address = "192.0.2.1"}, {.address = "2001:db8::1"}};
	int64_t now = 1700000000000;
	for (size_t i = 0; i < n; i++) {
		uint8_t e = events[i];
		const struct clone_end *from = &ends[e & 3], *to = &ends[(e >> 2) & 3];
		const struct clone_takeover t = {*from, *to, now, (e >> 4) * INT64_C(1000), e};
		now += e * INT64_C(1000);
		if (e & 0x40)
			(void)clone_beside(c, from, to, now);
		else
			(void)clone_take(c, &t);
		(void)clone_lives(c, from->client, now + 1, e & 1);
		(void)clone_ended(c, now);
		CHECK(c->verdict < CLONE_VERDICTS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct clone_case c = {0};
	size_t events = n ? data[0] % 8U : 0;
	if (n < 1 + events)
		return 0;
	const uint8_t *body = data + 1 + events;
	if (clone_read((struct view){(const char *)body, n - 1 - events}, &c) == 0) {
		write_again(&c);
		if (c.last_ms < 0 || c.beside_ms < 0) /* our clock gives neither */
			return 0;
	}
	live_on(&c, data + 1, events);
	return 0;
}
