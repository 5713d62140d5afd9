/* covers: src/broker/snapshot_load.c src/broker/snapshot_read.c src/broker/snapshot_table.c
 *
 * Snapshot bytes: a base and parts behind it. Every part's checksum is set right first, so that
 * what stands behind it is reached; what loads must bear being asked everything, and must load from
 * a file as well, also when it is followed part by part. */
#include "base/check.h"
#include "base/compiler.h"
#include "broker/snapshot.h"
#include "broker/snapshot_format.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put64(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* Where the base ends; 0: it is not whole. */
static size_t set_sums(uint8_t *bytes, size_t size)
{
	size_t at = HEADER_SIZE, base_end = 0;
	while (size > at && size - at >= PART_HEADER) {
		struct snapshot_sum sum;
		uint64_t length = get64(bytes + at);
		if (length > size - at - PART_HEADER)
			break;
		snapshot_sum_begin(&sum);
		snapshot_sum_add(&sum, bytes + at + PART_HEADER, length);
		put64(bytes + at + 16, snapshot_sum_end(&sum, get64(bytes + at + 8)));
		at += PART_HEADER + length;
		if (!base_end)
			base_end = at;
	}
	return base_end;
}

static void ask(const struct snapshot *s, const uint8_t *fingerprint)
{
	struct snapshot_cert cert;
	struct policy_request request = {
		.action = POLICY_PUBLISH, .type = VIEW_LIT("topic"), .name = VIEW_LIT("a/b/c")};
	struct snapshot_policy found[SNAPSHOT_PROGRAMS_MAX];
	struct view programs[SNAPSHOT_PROGRAMS_MAX];
	bool is_quarantined;
	if (!snapshot_find(s, fingerprint, &cert))
		return;
	(void)snapshot_cert_has_thing(s, &cert, VIEW_LIT("lamp"));
	unsigned n = snapshot_programs(s, &cert, VIEW_LIT("lamp"), &request, found,
				       SNAPSHOT_PROGRAMS_MAX, &is_quarantined);
	if (n > SNAPSHOT_PROGRAMS_MAX)
		return;
	for (unsigned i = 0; i < n; i++)
		programs[i] = found[i].program;
	(void)policy_decide(programs, n, &request);
}

/* Every byte of every dimension, of which there are no more than there is room for. */
static void ask_dimensions(const struct snapshot *s)
{
	struct snapshot_dimension all[4];
	unsigned n = snapshot_dimensions(s, all, ARRAY_LEN(all));
	CHECK(n <= ARRAY_LEN(all));
	for (unsigned i = 0; i < n; i++) {
		struct view filter;
		uint8_t sum = 0;
		while (snapshot_next_name(&all[i].filters, &filter))
			for (size_t k = 0; k < filter.n; k++)
				sum ^= (uint8_t)filter.p[k];
		CHECK((sum | all[i].name.n) <= UINT16_MAX);
	}
}

static int load(const char *path, uid_t owner, uint64_t at_least)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	int rc = snapshot_load(path, owner, at_least, &s, why, sizeof(why));
	if (rc == 0)
		snapshot_free(s);
	return rc;
}

static void on_cert(void *ctx, const uint8_t fingerprint[SNAPSHOT_FINGERPRINT])
{
	ask(ctx, fingerprint);
}

/* The base, then the rest while it is in use: the same generation in the end. */
static void follow(const char *path, int fd, const uint8_t *bytes, size_t size, size_t base_end,
		   uint64_t generation)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	CHECK(ftruncate(fd, (off_t)base_end) == 0);
	CHECK(snapshot_load(path, geteuid(), 0, &s, why, sizeof(why)) == 0);
	CHECK(pwrite(fd, bytes, size, 0) == (ssize_t)size);
	struct snapshot_news news = {.on_cert = on_cert, .ctx = s};
	while (snapshot_follow(s, &news, why, sizeof(why)) == 1)
		;
	CHECK(snapshot_in_force(s) == generation);
	CHECK(snapshot_memory(s) > base_end - HEADER_SIZE - PART_HEADER);
	struct stat st;
	CHECK(fstat(fd, &st) == 0 && snapshot_is_file(s, &st));
	CHECK(fchmod(fd, 0622) == 0 && snapshot_follow(s, &news, why, sizeof(why)) < 0);
	CHECK(fchmod(fd, 0600) == 0 && ftruncate(fd, HEADER_SIZE) == 0);
	CHECK(snapshot_follow(s, &news, why, sizeof(why)) < 0);
	snapshot_free(s);
}

/* The file is taken from its owner, when nobody else may write it, and when it is new enough. */
static void load_from_file(const uint8_t *bytes, size_t size, size_t base_end, uint64_t generation)
{
	char path[] = "/tmp/fuzz_snapshot_XXXXXX";
	int fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	CHECK(load(path, geteuid(), generation) == 0);
	CHECK(load(path, geteuid() + 1, generation) < 0);
	CHECK(generation == UINT64_MAX || load(path, geteuid(), generation + 1) < 0);
	CHECK(fchmod(fd, 0602) == 0 && load(path, geteuid(), generation) < 0);
	CHECK(fchmod(fd, 0600) == 0);
	follow(path, fd, bytes, size, base_end, generation);
	CHECK(unlink(path) == 0 && close(fd) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	if (snapshot_load_bytes(data, size, &s, why, sizeof(why)) == 0)
		snapshot_free(s); /* its checksums were right */
	uint8_t *bytes = calloc(1, size ? size : 1);
	if (!bytes)
		return 0;
	if (size)
		memcpy(bytes, data, size);
	size_t base_end = set_sums(bytes, size);
	if (snapshot_load_bytes(bytes, size, &s, why, sizeof(why)) == 0) {
		for (size_t at = 0; at + SNAPSHOT_FINGERPRINT <= size; at += 4)
			ask(s, bytes + at);
		ask_dimensions(s);
		load_from_file(bytes, size, base_end, snapshot_in_force(s));
		snapshot_free(s);
	}
	free(bytes);
	return 0;
}
