#include "daemon/intake.h"

#include "base/check.h"
#include "base/log.h"

#include <inttypes.h>

#define TOPIC_MAX 256 /* the plugin lets nobody publish on a longer one */

/* What is done with one event; `is_repeat`: its frame was durable before. */
struct taking {
	struct intake *in;
	struct broker *broker;
	uint64_t frame;
	bool is_repeat;
};

/* A report on its way through the intake. */
struct arrival {
	struct event_report event;
	struct view thing;
	enum report_format format;
	struct view body; /* of its entry */
	struct report *report;
};

static void answer(struct taking *t, const struct arrival *a, const char *suffix, const void *reply,
		   size_t n)
{
	struct pages *pages = t->in->pages;
	size_t topic_n = a->event.topic.n, suffix_n = strlen(suffix);
	char *topic = pages_take(pages, topic_n + suffix_n);
	memcpy(topic, a->event.topic.p, topic_n);
	memcpy(topic + topic_n, suffix, suffix_n);
	struct answer one = {
		t->frame, {topic, topic_n + suffix_n},
                 pages_copy(pages, (struct view){reply, n                 }
                 )
        };
	(void)g_array_append_val(t->broker->answers, one);
}

static void accept(struct taking *t, const struct arrival *a, uint64_t report_id)
{
	char reply[REPORT_REPLY_MAX];
	size_t n = report_accepted(a->format, a->thing, report_id, t->in->now_ms, reply,
				   sizeof(reply));
	answer(t, a, "/accepted", reply, n);
}

static void reject(struct taking *t, const struct arrival *a, const struct report_refusal *why,
		   uint64_t report_id, enum counter counter)
{
	char reply[REPORT_REPLY_MAX];
	struct report_refusal refusal = *why;
	refusal.report_id = report_id;
	size_t n =
		report_rejected(a->format, a->thing, &refusal, t->in->now_ms, reply, sizeof(reply));
	answer(t, a, "/rejected", reply, n);
	counter_add(t->in->ready, counter, 1);
}

/* The entry's body, and the report decoded from the copy in it, so that both live as long as the
 * turn's pages. */
static int decode(struct taking *t, struct arrival *a, struct report_refusal *why)
{
	struct pages *pages = t->in->pages;
	struct entry_report entry = {.thing = a->thing,
				     .is_own = a->event.is_own,
				     .format = a->format,
				     .payload = a->event.payload};
	memcpy(entry.reporter, a->event.fingerprint, sizeof(entry.reporter));
	size_t cap = a->thing.n + a->event.payload.n + ENTRY_FINGERPRINT + 64;
	struct writer w = writer_of(pages_take(pages, cap), cap);
	entry_write_report(&w, &entry);
	CHECK(!w.full);
	a->body = (struct view){(const char *)w.buf, w.len};
	CHECK(entry_read_report(a->body, &entry) == 0);
	a->report = pages_take(pages, sizeof(*a->report));
	struct report_arena arena = pages_arena(pages);
	if (report_read(a->format, entry.payload.p, entry.payload.n, &arena, a->report, why) < 0)
		return -1;
	pages_keep(pages, &arena);
	return 0;
}

static void admit(struct taking *t, struct arrival *a)
{
	struct intake *in = t->in;
	uint64_t id = a->report->report_id;
	int64_t at_ms = MIN(a->event.at_ms, in->now_ms);
	switch (admission_judge(in->admission, a->thing, id, at_ms)) {
	case ADMISSION_NEW:
		lot_add(&t->broker->lot, ENTRY_REPORT, in->now_ms, a->body, a->report);
		counter_add(in->ready, COUNTER_reports_accepted, 1);
		accept(t, a, id);
		return;
	case ADMISSION_REPEATED:
		counter_add(in->ready, COUNTER_reports_repeated, 1);
		accept(t, a, id);
		return;
	case ADMISSION_TOO_SOON:
		reject(t, a, &report_too_soon, id, COUNTER_reports_throttled);
		return;
	case ADMISSION_RATE:
		reject(t, a, &report_account_rate, id, COUNTER_reports_throttled);
		return;
	}
}

/* The frame was durable before the daemon could answer: what is in the log was accepted, the rest
 * was not. */
static void answer_again(struct taking *t, struct arrival *a)
{
	uint64_t id = a->report->report_id;
	if (!admission_knows(t->in->admission, a->thing, id)) {
		reject(t, a, &report_too_soon, id, COUNTER_reports_throttled);
		return;
	}
	counter_add(t->in->ready, COUNTER_reports_repeated, 1);
	accept(t, a, id);
}

static void take_sound_report(struct taking *t, struct arrival *a)
{
	struct report_refusal why = {0};
	if (!report_thing_valid(a->thing))
		reject(t, a, &report_bad_thing, 0, COUNTER_reports_malformed);
	else if (a->event.payload.n > REPORT_SIZE_MAX)
		reject(t, a, &report_too_large, 0, COUNTER_reports_malformed);
	else if (decode(t, a, &why) < 0) {
		log_debug("ingest", "report of %.*s: %s", (int)a->thing.n, a->thing.p, why.detail);
		reject(t, a, &why, why.report_id, COUNTER_reports_malformed);
	} else if (t->is_repeat)
		answer_again(t, a);
	else
		admit(t, a);
}

static void take_report(struct taking *t, const struct event *e)
{
	struct arrival a = {.event = e->report};
	CHECK(report_topic(a.event.topic, &a.thing, &a.format));
	take_sound_report(t, &a);
}

static void take_cut(struct taking *t, const struct event *e)
{
	struct broker *b = t->broker;
	if (t->is_repeat)
		return;
	size_t cap = sizeof(b->id) + 32;
	struct writer w = writer_of(pages_take(t->in->pages, cap), cap);
	struct entry_broker entry = {.broker = view_of(b->id), .t_ms = (int64_t)e->number};
	entry_write_broker(&w, &entry);
	CHECK(!w.full);
	lot_add(&b->lot, ENTRY_CUT, t->in->now_ms, (struct view){(const char *)w.buf, w.len}, NULL);
	b->cut_ms = MAX(b->cut_ms, (int64_t)e->number);
}

static void take_flushed(struct taking *t, const struct event *e)
{
	t->broker->flushed = e->number;
}

static void take_applied(struct taking *t, const struct event *e)
{
	t->broker->applied = e->number;
	if (!t->is_repeat)
		broker_tell_generation(t->broker, t->in->ready, e->number);
}

static void take_refused(struct taking *t, const struct event *e)
{
	if (t->is_repeat)
		return;
	g_autofree char *labels =
		g_strdup_printf("cause=\"%s\",mode=\"%s\"", cause_word(e->refused.cause),
				e->refused.is_observed ? "observe" : "enforce");
	family_add(t->in->ready, FAMILY_refusals, labels, e->refused.count);
}

static void count(const struct taking *t, enum counter counter)
{
	if (!t->is_repeat)
		counter_add(t->in->ready, counter, 1);
}

static void take_connect(struct taking *t, const struct event *e)
{
	(void)e;
	count(t, COUNTER_sessions_started);
}

static void take_disconnect(struct taking *t, const struct event *e)
{
	(void)e;
	count(t, COUNTER_sessions_ended);
}

static void take_takeover(struct taking *t, const struct event *e)
{
	(void)e;
	count(t, COUNTER_sessions_taken_over);
}

/* S12: what a bounded table leaves out is counted, and said. */
static void take_table(struct taking *t, const struct event *e)
{
	const struct event_table *table = &e->table;
	g_autofree char *labels = g_strdup_printf("broker=\"%s\",table=\"%.*s\"", t->broker->id,
						  (int)table->name.n, table->name.p);
	if (t->is_repeat)
		return;
	family_set(t->in->ready, FAMILY_broker_table_entries, labels, table->n);
	family_set(t->in->ready, FAMILY_broker_table_left_out, labels, table->left_out);
	log_warning("ingest",
		    "broker %s: its table of %.*s has left out %" PRIu64 " so far (%" PRIu64
		    " of %" PRIu64 " in use, of which nobody may have all)",
		    t->broker->id, (int)table->name.n, table->name.p, table->left_out, table->n,
		    table->cap);
}

static bool is_report_sound(const struct event *e)
{
	struct view thing;
	enum report_format format;
	return e->report.topic.n <= TOPIC_MAX && report_topic(e->report.topic, &thing, &format);
}

static bool is_cut_sound(const struct event *e)
{
	return e->number <= INT64_MAX;
}

/* Its name becomes a label. */
static bool is_table_sound(const struct event *e)
{
	for (size_t i = 0; i < e->table.name.n; i++) {
		char c = e->table.name.p[i];
		if (!g_ascii_isalnum(c) && c != '_' && c != '-')
			return false;
	}
	return true;
}

static const struct event_row {
	bool (*is_sound)(const struct event *e); /* beyond what event_read looks at; NULL: all */
	void (*take)(struct taking *t, const struct event *e);
} events[EVENT_KINDS] = {
	[EVENT_REPORT] = {is_report_sound, take_report    },
          [EVENT_CUT] = {is_cut_sound,    take_cut       },
	[EVENT_APPLIED] = {NULL,            take_applied   },
          [EVENT_FLUSHED] = {NULL,            take_flushed   },
	[EVENT_REFUSED] = {NULL,            take_refused   },
          [EVENT_CONNECT] = {NULL,            take_connect   },
	[EVENT_DISCONNECT] = {NULL,            take_disconnect},
          [EVENT_TAKEOVER] = {NULL,            take_takeover  },
	[EVENT_TABLE] = {is_table_sound,  take_table     },
};

/* As it came. */
static void log_event(struct taking *t, enum event_kind kind, struct view event)
{
	struct broker *b = t->broker;
	size_t cap = sizeof(b->id) + 8 + event.n;
	struct writer w = writer_of(pages_take(t->in->pages, cap), cap);
	entry_write_event(&w, view_of(b->id), kind, event);
	CHECK(!w.full);
	lot_add(&b->lot, ENTRY_EVENT, t->in->now_ms, (struct view){(const char *)w.buf, w.len},
		NULL);
}

static void take_event(struct taking *t, const struct event *e, struct view body)
{
	const struct event_row *row = &events[e->kind];
	if (row->take)
		row->take(t, e);
	if (entry_logs(e->kind) && !t->is_repeat)
		log_event(t, e->kind, body);
}

/* One event: 0, or -1 when it is damaged. t NULL: it is only checked. */
static int take_one(struct taking *t, uint8_t kind, struct reader *one)
{
	struct event e;
	struct view body = {(const char *)one->at, reader_left(one)};
	if (!event_kind_known(kind))
		return 0; /* of a later version: passed over */
	if (event_read((enum event_kind)kind, one, &e) < 0 ||
	    (events[kind].is_sound && !events[kind].is_sound(&e)))
		return -1;
	if (t)
		take_event(t, &e, body);
	return 0;
}

static int walk(struct taking *t, struct reader body)
{
	uint8_t kind;
	struct reader one;
	int r;
	while ((r = frame_next(&body, &kind, &one)) == 1) {
		if (take_one(t, kind, &one) < 0)
			return -1;
	}
	return r;
}

int intake_frame(struct intake *in, struct broker *b, uint64_t number, struct reader body)
{
	struct taking t = {in, b, number, number <= b->taken};
	if (number == 0 || number > b->taken + 1) {
		log_error("ingest", "broker %s sent frame %llu after %llu", b->id,
			  (unsigned long long)number, (unsigned long long)b->taken);
		return -1;
	}
	/* Checked whole first: admission must not remember reports of a frame that is then refused.
	 */
	if (walk(NULL, body) < 0)
		return -1;
	CHECK(walk(&t, body) == 0);
	counter_add(in->ready, t.is_repeat ? COUNTER_frames_repeated : COUNTER_frames_received, 1);
	if (!t.is_repeat) {
		lot_end_frame(&b->lot, number);
		b->taken = number;
	}
	b->heard_ms = in->now_ms;
	b->is_gone = false;
	b->to_ack = number;
	return 0;
}
