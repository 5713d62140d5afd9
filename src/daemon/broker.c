#include "daemon/broker.h"

#include "base/check.h"

#include <string.h>

struct broker *broker_new(const char *id)
{
	struct broker *b = g_new0(struct broker, 1);
	(void)g_strlcpy(b->id, id, sizeof(b->id));
	lot_init(&b->lot, b->producer);
	b->answers = g_array_new(FALSE, FALSE, sizeof(struct answer));
	return b;
}

void broker_free(void *broker)
{
	struct broker *b = broker;
	lot_clear(&b->lot);
	(void)g_array_free(b->answers, TRUE);
	g_free(b);
}

void broker_attach(struct broker *b, struct channel_peer *peer, uint64_t last)
{
	(void)g_snprintf(b->producer, sizeof(b->producer), "%s/%s", b->id, channel_instance(peer));
	b->peer = peer;
	b->taken = last;
	b->is_gone = false;
	b->flushed = 0;
	channel_set_owned(peer, b);
}

/* Writes answers from `i` on as long as they fit. Returns the first that is left. */
static guint write_answers(const struct broker *b, struct writer *w, guint i)
{
	for (; i < b->answers->len; i++) {
		const struct answer *a = &g_array_index(b->answers, struct answer, i);
		struct item_publish item = {.qos = 1, .topic = a->topic, .payload = a->payload};
		size_t before = w->len;
		item_write_publish(w, &item);
		if (w->full) {
			w->len = before;
			w->full = false;
			return i;
		}
	}
	return i;
}

/* A datagram of acknowledgement and answers from `i` on. Returns the first answer that is left. */
static guint send_down(struct broker *b, uint8_t *buf, guint i)
{
	struct writer w = writer_of(buf, FRAME_SIZE_MAX);
	frame_begin(&w, FRAME_DOWN, FRAME_VERSION);
	struct writer number = writer_of(buf + w.len, sizeof(uint64_t));
	frame_write_number(&w, 0);
	guint next = write_answers(b, &w, i);
	bool is_last = next == b->answers->len;
	uint64_t ack =
		is_last ? b->to_ack : g_array_index(b->answers, struct answer, next).frame - 1;
	frame_write_number(&number, ack);
	CHECK(is_last || next > i);
	channel_send(b->peer, buf, w.len);
	return next;
}

bool broker_answer(struct broker *b)
{
	bool is_due = b->peer && b->to_ack;
	if (is_due) {
		g_autofree uint8_t *buf = g_malloc(FRAME_SIZE_MAX);
		guint i = 0;
		do
			i = send_down(b, buf, i);
		while (i < b->answers->len && b->peer);
	}
	(void)g_array_set_size(b->answers, 0);
	b->to_ack = 0;
	return is_due;
}

void broker_tell_generation(const struct broker *b, struct ready *ready, uint64_t generation)
{
	g_autofree char *labels = g_strdup_printf("broker=\"%s\"", b->id);
	family_set(ready, FAMILY_broker_generation, labels, generation);
}

void broker_send_number(struct broker *b, enum frame_item_kind kind, uint64_t number)
{
	uint8_t buf[128];
	struct writer w = writer_of(buf, sizeof(buf));
	frame_begin(&w, FRAME_DOWN, FRAME_VERSION);
	frame_write_number(&w, 0); /* acknowledges nothing */
	item_write_number(&w, kind, number);
	CHECK(!w.full);
	channel_send(b->peer, buf, w.len);
}
