#include "contain/clone.h"

#include "base/compiler.h"

#include <arpa/inet.h>

#define PROMPT_MS 5000 /* clients back off from one second on; networks do not change so fast */
#define SLOW_MS   60000
#define HEARD_MS  1500
#define CASE_FORM 1

struct sign {
	int8_t points[CLONE_VERDICTS];
	const char *text;
};

/* clang-format off */
static const struct sign signs[] = {
#define SIGN(id, clone, twin, link, text) {{0, clone, twin, link}, text},
#include "contain/clone_sign.tbl.h"
#undef SIGN
};
/* clang-format on */

static const char *const verdicts[] = {"undecided", "clone", "twin", "unstable-link"};

const char *clone_verdict_name(enum clone_verdict verdict)
{
	return verdicts[verdict];
}

const char *clone_sign_text(enum clone_sign sign)
{
	return signs[sign].text;
}

/* ---- Ends ---- */

/* The bytes of an address that name its network: /24 or /64. 0 when it is none. */
static size_t network_of(const char *address, uint8_t bytes[16])
{
	if (inet_pton(AF_INET, address, bytes) == 1)
		return 3;
	return inet_pton(AF_INET6, address, bytes) == 1 ? 8 : 0;
}

static bool is_near(const struct clone_end *x, const struct clone_end *y)
{
	uint8_t a[16], b[16];
	size_t n = network_of(x->address, a);
	return n && n == network_of(y->address, b) && memcmp(a, b, n) == 0;
}

static bool same_address(const struct clone_end *x, const struct clone_end *y)
{
	return strcmp(x->address, y->address) == 0;
}

static bool same_settings(const struct clone_end *x, const struct clone_end *y)
{
	return x->keep_alive_s == y->keep_alive_s && x->flags == y->flags;
}

static bool same_certificate(const struct clone_end *x, const struct clone_end *y)
{
	return memcmp(x->fingerprint, y->fingerprint, CLONE_FINGERPRINT) == 0;
}

static bool same_end(const struct clone_end *x, const struct clone_end *y)
{
	return same_address(x, y) && same_settings(x, y) && same_certificate(x, y);
}

/* ---- Signs ---- */

/* What one take-over looks like beside the one before. */
struct look {
	bool is_return;   /* the end that was cut off last time cuts off the other one now */
	bool is_prompt;   /* and soon, */
	bool is_slow;     /* or late */
	bool is_new_end;  /* neither end of the last take-over */
	bool is_dead;     /* the old session was silent for its keep-alive */
	bool is_one_cert; /* both ends have the same certificate */
	bool is_settings_alike, is_address_alike, is_near;
	bool is_heard; /* the old session was heard just before */
};

static struct look look_at(const struct clone_case *c, const struct clone_takeover *t)
{
	int64_t keep_alive_ms = t->from.keep_alive_s * INT64_C(1000);
	bool has_past = c->takeovers > 0;
	bool is_dead = keep_alive_ms > 0 && t->from_idle_ms >= keep_alive_ms;
	return (struct look){
		.is_return = has_past && !same_end(&t->from, &t->to) && same_end(&t->to, &c->a) &&
			     same_end(&t->from, &c->b),
		.is_prompt = t->from_connected_ms <= PROMPT_MS && !is_dead,
		.is_slow = t->from_connected_ms > SLOW_MS,
		.is_new_end =
			has_past && !same_address(&t->to, &c->a) && !same_address(&t->to, &c->b),
		.is_dead = is_dead,
		.is_one_cert = same_certificate(&t->from, &t->to),
		.is_settings_alike = same_settings(&t->from, &t->to),
		.is_address_alike = same_address(&t->from, &t->to),
		.is_near = is_near(&t->from, &t->to),
		.is_heard = t->from_idle_ms < HEARD_MS,
	};
}

static enum clone_sign return_sign(const struct look *l)
{
	if (l->is_address_alike)
		return CLONE_SIGN_RETURN_SETTINGS;
	return l->is_near ? CLONE_SIGN_RETURN_NEAR : CLONE_SIGN_RETURN_FAR;
}

static uint32_t bit(enum clone_sign sign, bool is_seen)
{
	return is_seen ? UINT32_C(1) << sign : 0;
}

static uint32_t signs_of(const struct look *l)
{
	bool is_one_device = l->is_one_cert && l->is_settings_alike;
	bool is_back = l->is_return && l->is_one_cert;
	return bit(return_sign(l), is_back && l->is_prompt) |
	       bit(CLONE_SIGN_SLOW_RETURN, is_back && l->is_slow) |
	       bit(CLONE_SIGN_HEARD, l->is_heard && l->is_one_cert && !l->is_address_alike) |
	       bit(CLONE_SIGN_SETTINGS, l->is_one_cert && !l->is_settings_alike) |
	       bit(CLONE_SIGN_TURNS, l->is_return && !l->is_one_cert) |
	       bit(CLONE_SIGN_DEAD, l->is_dead && l->is_one_cert) |
	       bit(CLONE_SIGN_SAME_PLACE, l->is_address_alike && is_one_device) |
	       bit(CLONE_SIGN_ONWARD, l->is_new_end);
}

/* ---- The case ---- */

static enum clone_verdict verdict_of(const struct clone_case *c)
{
	enum clone_verdict best = CLONE_UNDECIDED;
	int32_t most = CLONE_POINTS - 1;
	for (int i = CLONE_CLONE; i < CLONE_VERDICTS; i++) {
		if (c->points[i] == most)
			best = CLONE_UNDECIDED;
		if (c->points[i] <= most)
			continue;
		most = c->points[i];
		best = (enum clone_verdict)i;
	}
	return best;
}

static void count_sign(struct clone_case *c, enum clone_sign sign)
{
	c->seen[sign]++;
	for (int i = CLONE_CLONE; i < CLONE_VERDICTS; i++) {
		int32_t sum = c->points[i] + signs[sign].points[i];
		c->points[i] = sum < 0 ? 0 : sum > CLONE_POINTS_MAX ? CLONE_POINTS_MAX : sum;
	}
}

static bool judge(struct clone_case *c, uint32_t seen)
{
	enum clone_verdict before = c->verdict;
	for (int i = 0; i < CLONE_SIGNS; i++)
		if (seen & (UINT32_C(1) << i))
			count_sign(c, (enum clone_sign)i);
	c->verdict = verdict_of(c);
	return c->verdict != before;
}

bool clone_take(struct clone_case *c, const struct clone_takeover *t)
{
	if (t->at_ms - c->last_ms > CLONE_SILENT_MS)
		*c = (struct clone_case){.first_ms = t->at_ms};
	struct look look = look_at(c, t);
	c->takeovers++;
	c->last_ms = t->at_ms;
	c->a = t->from;
	c->b = t->to;
	return judge(c, signs_of(&look));
}

bool clone_ended(struct clone_case *c, int64_t at_ms)
{
	if (c->takeovers == 0 || at_ms - c->last_ms > CLONE_SILENT_MS)
		return false;
	return judge(c, bit(CLONE_SIGN_ENDED, true));
}

/* ---- Sessions beside each other ---- */

bool clone_beside(struct clone_case *c, const struct clone_end *there, const struct clone_end *here,
		  int64_t at_ms)
{
	if (at_ms - c->last_ms > CLONE_SILENT_MS)
		*c = (struct clone_case){.first_ms = at_ms};
	bool is_same_pair = c->beside_ms && same_end(&c->a, there) && same_end(&c->b, here);
	c->last_ms = at_ms;
	c->a = *there;
	c->b = *here;
	if (!is_same_pair)
		c->beside_ms = at_ms;
	return judge(c, bit(CLONE_SIGN_BESIDE, true));
}

bool clone_lives(struct clone_case *c, const char *client, int64_t at_ms, bool was_heard)
{
	int64_t silence_ms = c->a.keep_alive_s * INT64_C(1500);
	if (!c->beside_ms || strcmp(c->a.client, client) != 0 || (!was_heard && silence_ms == 0) ||
	    at_ms - (was_heard ? 0 : silence_ms) <= c->beside_ms)
		return false;
	c->beside_ms = 0;
	c->last_ms = at_ms;
	return judge(c,
		     bit(is_near(&c->a, &c->b) ? CLONE_SIGN_BOTH_NEAR : CLONE_SIGN_BOTH_FAR, true));
}

/* ---- As bytes ---- */

static void write_end(struct writer *w, const struct clone_end *end)
{
	write_raw(w, end->fingerprint, sizeof(end->fingerprint));
	write_str16(w, view_of(end->address));
	write_str16(w, view_of(end->client));
	write_u16(w, end->keep_alive_s);
	write_u8(w, end->flags);
}

static void read_text(struct reader *r, char *ret, size_t cap)
{
	struct view text = read_str16(r);
	r->bad = r->bad || text.n >= cap || (text.n && memchr(text.p, '\0', text.n));
	if (!r->bad && text.n)
		memcpy(ret, text.p, text.n);
}

static void read_end(struct reader *r, struct clone_end *ret)
{
	const uint8_t *fingerprint = read_raw(r, sizeof(ret->fingerprint));
	if (fingerprint)
		memcpy(ret->fingerprint, fingerprint, sizeof(ret->fingerprint));
	read_text(r, ret->address, sizeof(ret->address));
	read_text(r, ret->client, sizeof(ret->client));
	ret->keep_alive_s = read_u16(r);
	ret->flags = read_u8(r);
}

void clone_write(const struct clone_case *c, struct writer *w)
{
	write_u8(w, CASE_FORM);
	write_i64(w, c->first_ms);
	write_i64(w, c->last_ms);
	write_u32(w, c->takeovers);
	write_end(w, &c->a);
	write_end(w, &c->b);
	write_i64(w, c->beside_ms);
	for (int i = 0; i < CLONE_VERDICTS; i++)
		write_u32(w, (uint32_t)c->points[i]);
	for (int i = 0; i < CLONE_SIGNS; i++)
		write_u32(w, c->seen[i]);
}

static bool points_sound(const struct clone_case *c)
{
	for (int i = 0; i < CLONE_VERDICTS; i++)
		if (c->points[i] < 0 || c->points[i] > CLONE_POINTS_MAX)
			return false;
	return true;
}

int clone_read(struct view bytes, struct clone_case *ret)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct clone_case c = {0};
	r.bad = read_u8(&r) != CASE_FORM;
	c.first_ms = read_i64(&r);
	c.last_ms = read_i64(&r);
	c.takeovers = read_u32(&r);
	read_end(&r, &c.a);
	read_end(&r, &c.b);
	c.beside_ms = read_i64(&r);
	for (int i = 0; i < CLONE_VERDICTS; i++)
		c.points[i] = (int32_t)read_u32(&r);
	for (int i = 0; i < CLONE_SIGNS; i++)
		c.seen[i] = read_u32(&r);
	if (!reader_done(&r) || !points_sound(&c))
		return -1;
	c.verdict = verdict_of(&c);
	*ret = c;
	return 0;
}
