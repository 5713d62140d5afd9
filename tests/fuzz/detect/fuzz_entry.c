/* Damaged bodies of log entries, configurations and checkpoints: refused or understood, never
 * worse. The first byte chooses: an entry kind for a state that has a configuration and an open
 * alarm, or (0) a checkpoint, whose sum is made right here so that the fuzzer gets behind it. */
/* covers: src/detect/entry.c src/detect/config.c src/detect/checkpoint.c src/detect/detect.c
 * src/detect/cover.c src/detect/window.c src/event/event.c */
#include "base/check.h"
#include "base/sha256.h"
#include "detect/config.h"
#include "detect/detect.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct detect_limits limits = {.min_report_delta_ms = 300000, .max_unregistered = 8};

static int no_effect(const struct effect *effect, void *ctx)
{
	(void)effect;
	(void)ctx;
	return 0;
}

static void step(struct detect *d, uint64_t seq, enum entry_kind kind, struct view body)
{
	struct detect_entry entry = {
		.seq = seq, .at_ms = 1700000000000 + (int64_t)seq, .kind = kind, .body = body};
	int rc = detect_step(d, &entry, no_effect, NULL);
	CHECK(rc == 0 || rc == -EBADMSG);
}

static struct view written(const struct writer *w)
{
	CHECK(!w->full);
	return (struct view){(const char *)w->buf, w->len};
}

static void prepare(struct detect *d)
{
	uint8_t buf[1024];
	struct writer w = writer_of(buf, sizeof(buf));
	const struct config_rule rule = {.op = COMPARE_LESS, .to_alarm = 1, .to_clear = 1};
	config_write_begin(&w, 1);
	config_write_profile(&w, view_of("p"), TARGET_ALL_THINGS, NULL, 0, 1);
	config_write_behavior(&w, view_of("b"), view_of("{}"), view_of("aws:all-bytes-out"),
			      CRITERIA_STATIC, &rule);
	step(d, 1, ENTRY_CONFIG, written(&w));
	const struct entry_report report = {
		.thing = view_of("t"),
		.payload =
			view_of("{\"hed\":{\"rid\":1,\"v\":\"1.0\"},\"met\":{\"ns\":{\"bo\":1}}}")};
	w = writer_of(buf, sizeof(buf));
	entry_write_report(&w, &report);
	step(d, 2, ENTRY_REPORT, written(&w));
}

/* Whatever was loaded or stepped must go on working, and load again when saved. */
static void use(struct detect *d)
{
	uint8_t buf[16], *bytes;
	size_t n;
	uint64_t seq;
	struct detect *again;
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_mark(&w, &(struct entry_mark){1800000000000});
	step(d, 4, ENTRY_MARK, written(&w));
	CHECK(detect_save(d, 4, &bytes, &n) == 0);
	CHECK(detect_load(&limits, bytes, n, &again, &seq) == 0);
	detect_free(again);
	free(bytes);
}

static void fuzz_checkpoint(const uint8_t *data, size_t n)
{
	uint8_t *bytes = malloc(n + SHA256_SIZE);
	struct sha256 sha;
	struct detect *d;
	uint64_t seq;
	CHECK(bytes);
	if (n)
		memcpy(bytes, data, n);
	sha256_init(&sha);
	sha256_add(&sha, bytes, n);
	sha256_end(&sha, bytes + n);
	if (detect_load(&limits, bytes, n + SHA256_SIZE, &d, &seq) == 0) {
		use(d);
		detect_free(d);
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	if (data[0] == 0) {
		fuzz_checkpoint(data + 1, n - 1);
		return 0;
	}
	struct detect *d;
	CHECK(detect_new(&limits, &d) == 0);
	prepare(d);
	step(d, 3, (enum entry_kind)data[0], (struct view){(const char *)data + 1, n - 1});
	use(d);
	detect_free(d);
	return 0;
}
