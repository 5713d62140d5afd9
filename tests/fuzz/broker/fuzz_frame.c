/* Datagrams as they come from the other end, through every reader. */
#include <stddef.h>
#include <stdint.h>

#include "broker/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same bytes as every kind. */
static void read_record(struct reader one)
{
	struct reader r = one;
	struct event_report report;
	struct event_refused refused;
	struct event_session session;
	struct item_publish publish;
	uint8_t fingerprint[FRAME_FINGERPRINT];
	uint64_t number;
	(void)event_read_report(&r, &report);
	r = one;
	(void)event_read_refused(&r, &refused);
	r = one;
	(void)event_read_session(&r, &session);
	r = one;
	(void)item_read_publish(&r, &publish);
	r = one;
	(void)item_read_kick(&r, fingerprint);
	r = one;
	(void)event_read_number(&r, &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum frame_type type;
	uint8_t version, kind;
	struct reader body, one;
	struct frame_hello hello;
	struct frame_welcome welcome;
	if (frame_open(data, size, &type, &version, &body) < 0)
		return 0;
	struct reader greeting = body;
	(void)frame_read_hello(&greeting, &hello);
	greeting = body;
	(void)frame_read_welcome(&greeting, &welcome);
	(void)frame_read_number(&body);
	while (frame_next(&body, &kind, &one) > 0)
		read_record(one);
	return 0;
}
