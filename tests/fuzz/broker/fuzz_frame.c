/* covers: src/broker/frame.c src/base/cursor.c
 *
 * Datagrams as they come from the other end, through every reader. */
#include <stddef.h>
#include <stdint.h>

#include "broker/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int as_report(struct reader r)
{
	struct event_report e;
	return event_read_report(&r, &e);
}

static int as_refused(struct reader r)
{
	struct event_refused e;
	return event_read_refused(&r, &e);
}

static int as_session(struct reader r)
{
	struct event_session e;
	return event_read_session(&r, &e);
}

static int as_publish(struct reader r)
{
	struct item_publish i;
	return item_read_publish(&r, &i);
}

static int as_kick(struct reader r)
{
	uint8_t fingerprint[FRAME_FINGERPRINT];
	return item_read_kick(&r, fingerprint);
}

static int as_number(struct reader r)
{
	uint64_t number;
	return event_read_number(&r, &number);
}

static int as_hello(struct reader r)
{
	struct frame_hello h;
	return frame_read_hello(&r, &h);
}

static int as_welcome(struct reader r)
{
	struct frame_welcome w;
	return frame_read_welcome(&r, &w);
}

typedef int read_as_fn(struct reader r);

static read_as_fn *const greetings[] = {as_hello, as_welcome};
static read_as_fn *const records[] = {as_report,  as_refused, as_session,
				      as_publish, as_kick,    as_number};

/* The same bytes as every kind. */
static void read_as(read_as_fn *const *kinds, size_t n, struct reader r)
{
	for (size_t i = 0; i < n; i++)
		(void)kinds[i](r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum frame_type type;
	uint8_t version, kind;
	struct reader body, one;
	if (frame_open(data, size, &type, &version, &body) < 0)
		return 0;
	read_as(greetings, ARRAY_LEN(greetings), body);
	(void)frame_read_number(&body);
	while (frame_next(&body, &kind, &one) > 0)
		read_as(records, ARRAY_LEN(records), one);
	return 0;
}
