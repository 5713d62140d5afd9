/* The intake: one frame of a broker becomes entries to append and answers to give (architecture
 * section 2, step 2).
 *
 * A report passes in this order: its topic, its thing's name, its size, the decoder, admission. One
 * that fails is rejected with the reason; one that passes waits for the append. */
#ifndef DAEMON_INTAKE_H
#define DAEMON_INTAKE_H

#include "daemon/admission.h"
#include "daemon/broker.h"
#include "daemon/ready.h"

struct intake {
	struct pages *pages; /* of the turn: entries, decoded reports and answers live there */
	int64_t now_ms;
	struct admission *admission;
	struct ready *ready;
};

/* Takes the events of frame `number`. A frame that was durable before is answered again and appends
 * nothing. -1: the frame is damaged or leaves a gap; nothing of it is taken. */
int intake_frame(struct intake *in, struct broker *b, uint64_t number, struct reader body) MUST_USE;

#endif
