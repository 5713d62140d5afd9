#include "broker/frame.h"

#define HEADER_SIZE 6

void frame_begin(struct writer *w, enum frame_type type, uint8_t version)
{
	write_u32(w, FRAME_MAGIC);
	write_u8(w, (uint8_t)type);
	write_u8(w, version);
}

void frame_write_hello(struct writer *w, const struct frame_hello *h)
{
	write_u8(w, h->version);
	write_str16(w, h->broker);
	write_str16(w, h->instance);
	write_u64(w, h->first_frame);
	write_u64(w, h->generation);
}

void frame_write_welcome(struct writer *w, const struct frame_welcome *h)
{
	write_u8(w, h->version);
	write_u64(w, h->last_frame);
	write_u64(w, h->generation);
	write_i64(w, h->now_ms);
	write_u8(w, h->is_clock_manual);
	write_str16(w, h->token);
}

void frame_write_number(struct writer *w, uint64_t number)
{
	write_u64(w, number);
}

/* A record's length is known only when its body stands: it is written as 0 and filled in. */
static size_t record_open(struct writer *w, uint8_t kind)
{
	size_t start = w->len;
	write_u8(w, kind);
	write_u32(w, 0);
	return start;
}

static void record_close(struct writer *w, size_t start)
{
	if (w->full) {
		w->len = start;
		return;
	}
	struct writer length = writer_of(w->buf + start + 1, 4);
	write_u32(&length, (uint32_t)(w->len - start - 5));
}

void frame_write_event(struct writer *w, const struct event *e)
{
	size_t start = record_open(w, (uint8_t)e->kind);
	event_write(w, e);
	record_close(w, start);
}

void item_write_publish(struct writer *w, const struct item_publish *i)
{
	size_t start = record_open(w, ITEM_PUBLISH);
	write_u8(w, i->qos);
	write_str16(w, i->topic);
	write_bytes32(w, i->payload);
	record_close(w, start);
}

void item_write_number(struct writer *w, enum frame_item_kind kind, uint64_t number)
{
	size_t start = record_open(w, (uint8_t)kind);
	write_u64(w, number);
	record_close(w, start);
}

int frame_open(const void *datagram, size_t n, enum frame_type *ret_type, uint8_t *ret_version,
	       struct reader *ret_body)
{
	if (n < HEADER_SIZE || n > FRAME_SIZE_MAX)
		return -1;
	struct reader r = reader_of(datagram, n);
	uint32_t magic = read_u32(&r);
	uint8_t type = read_u8(&r);
	uint8_t version = read_u8(&r);
	if (magic != FRAME_MAGIC || type < FRAME_HELLO || type > FRAME_DOWN || version == 0)
		return -1;
	*ret_type = (enum frame_type)type;
	*ret_version = version;
	*ret_body = r;
	return 0;
}

static bool is_hex(struct view s, size_t digits)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			return false;
	}
	return s.n == digits;
}

int frame_read_hello(struct reader *body, struct frame_hello *ret)
{
	struct frame_hello h = {.version = read_u8(body)};
	h.broker = read_str16(body);
	h.instance = read_str16(body);
	h.first_frame = read_u64(body);
	h.generation = read_u64(body);
	if (!reader_done(body) || h.version == 0 || h.broker.n == 0 ||
	    !is_hex(h.instance, FRAME_INSTANCE))
		return -1;
	*ret = h;
	return 0;
}

int frame_read_welcome(struct reader *body, struct frame_welcome *ret)
{
	struct frame_welcome h = {.version = read_u8(body)};
	h.last_frame = read_u64(body);
	h.generation = read_u64(body);
	h.now_ms = read_i64(body);
	h.is_clock_manual = read_u8(body) != 0;
	h.token = read_str16(body);
	if (!reader_done(body) || h.version == 0 || !is_hex(h.token, FRAME_TOKEN))
		return -1;
	*ret = h;
	return 0;
}

uint64_t frame_read_number(struct reader *body)
{
	return read_u64(body);
}

int frame_next(struct reader *body, uint8_t *ret_kind, struct reader *ret_one)
{
	if (reader_done(body))
		return 0;
	uint8_t kind = read_u8(body);
	struct view one = read_bytes32(body);
	if (body->bad)
		return -1;
	*ret_kind = kind;
	*ret_one = reader_of(one.p, one.n);
	return 1;
}

int item_read_publish(struct reader *one, struct item_publish *ret)
{
	struct item_publish i = {.qos = read_u8(one)};
	i.topic = read_str16(one);
	i.payload = read_bytes32(one);
	if (!reader_done(one) || i.qos > 2 || i.topic.n == 0)
		return -1;
	*ret = i;
	return 0;
}

int item_read_number(struct reader *one, uint64_t *ret)
{
	uint64_t number = read_u64(one);
	if (!reader_done(one))
		return -1;
	*ret = number;
	return 0;
}
