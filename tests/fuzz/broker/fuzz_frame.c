/* covers: src/broker/frame.c src/event/event.c src/base/cursor.c
 *
 * Datagrams as they come from the other end, through every reader. What is read is written, read
 * again, and must be written as before. */
#include "base/check.h"
#include "broker/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes what it reads. False: r is none of this kind. */
typedef bool translate_fn(struct reader r, uint8_t kind, struct writer *w);

static bool hello(struct reader r, uint8_t kind, struct writer *w)
{
	struct frame_hello h;
	(void)kind;
	if (frame_read_hello(&r, &h) < 0)
		return false;
	frame_write_hello(w, &h);
	return true;
}

static bool welcome(struct reader r, uint8_t kind, struct writer *w)
{
	struct frame_welcome h;
	(void)kind;
	if (frame_read_welcome(&r, &h) < 0)
		return false;
	frame_write_welcome(w, &h);
	return true;
}

static bool event(struct reader r, uint8_t kind, struct writer *w)
{
	struct event e;
	if (!event_kind_known(kind) || event_read((enum event_kind)kind, &r, &e) < 0)
		return false;
	frame_write_event(w, &e);
	return true;
}

static bool number(struct reader r, uint8_t kind, struct writer *w)
{
	uint64_t n;
	if (item_read_number(&r, &n) < 0)
		return false;
	item_write_number(w, (enum frame_item_kind)kind, n);
	return true;
}

static bool publish(struct reader r, uint8_t kind, struct writer *w)
{
	struct item_publish i;
	(void)kind;
	if (item_read_publish(&r, &i) < 0)
		return false;
	item_write_publish(w, &i);
	return true;
}

static translate_fn *const greetings[] = {hello, welcome};
static translate_fn *const records[] = {event, number, publish};

/* The body of what was written: for a record what stands behind its kind and length. */
static struct reader written(const struct writer *w, bool is_record)
{
	struct reader all = reader_of(w->buf, w->len), one;
	uint8_t kind;
	if (!is_record)
		return all;
	CHECK(frame_next(&all, &kind, &one) == 1);
	return one;
}

static struct writer room_for(size_t n)
{
	struct writer w = writer_of(malloc(n), n);
	CHECK(w.buf);
	return w;
}

/* A byte less than it needs: a record leaves nothing behind. */
static void check_full(translate_fn *translate, struct reader r, uint8_t kind, size_t needed)
{
	struct writer w = room_for(needed - 1);
	CHECK(translate(r, kind, &w) && w.full && w.len < needed);
	free(w.buf);
}

static void check_as(translate_fn *translate, struct reader r, uint8_t kind, bool is_record)
{
	size_t room = reader_left(&r) + 64; /* kind and length */
	struct writer w = room_for(room), v = room_for(room);
	if (translate(r, kind, &w)) {
		CHECK(!w.full && translate(written(&w, is_record), kind, &v));
		CHECK(w.len == v.len && memcmp(w.buf, v.buf, w.len) == 0);
		check_full(translate, r, kind, w.len);
	}
	free(w.buf);
	free(v.buf);
}

static void check_datagram(enum frame_type type, uint8_t version, struct reader body)
{
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct reader same;
	enum frame_type same_type;
	uint8_t same_version;
	uint64_t n = frame_read_number(&body);
	frame_begin(&w, type, version);
	frame_write_number(&w, n);
	CHECK(frame_open(bytes, w.len, &same_type, &same_version, &same) == 0);
	CHECK(type == same_type && version == same_version && frame_read_number(&same) == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum frame_type type;
	uint8_t version, kind;
	struct reader body, one;
	if (frame_open(data, size, &type, &version, &body) < 0)
		return 0;
	check_datagram(type, version, body);
	for (size_t i = 0; i < ARRAY_LEN(greetings); i++)
		check_as(greetings[i], body, 0, false);
	(void)frame_read_number(&body);
	while (frame_next(&body, &kind, &one) > 0)
		for (size_t i = 0; i < ARRAY_LEN(records); i++)
			check_as(records[i], one, kind, true);
	return 0;
}
