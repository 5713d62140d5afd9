/* covers: src/broker/snapshot_read.c
 *
 * Snapshot bytes. The checksum is set right first, so that what stands behind it is reached; what
 * loads must bear being asked everything, and must load from a file as well. */
#include "base/check.h"
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

static void ask(const struct snapshot *s, const uint8_t *fingerprint)
{
	struct snapshot_cert cert;
	struct policy_request request = {
		.action = POLICY_PUBLISH, .type = VIEW_LIT("topic"), .name = VIEW_LIT("a/b/c")};
	struct view programs[SNAPSHOT_PROGRAMS_MAX];
	if (!snapshot_find(s, fingerprint, &cert))
		return;
	(void)snapshot_cert_has_thing(s, &cert, VIEW_LIT("lamp"));
	unsigned n = snapshot_programs(s, &cert, VIEW_LIT("lamp"), &request, programs,
				       SNAPSHOT_PROGRAMS_MAX);
	if (n <= SNAPSHOT_PROGRAMS_MAX)
		(void)policy_decide(programs, n, &request);
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

/* The file is taken from its owner, when nobody else may write it, and when it is new enough. */
static void load_from_file(const uint8_t *bytes, size_t size, uint64_t generation)
{
	char path[] = "/tmp/fuzz_snapshot_XXXXXX";
	int fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	CHECK(load(path, geteuid(), generation) == 0);
	CHECK(load(path, geteuid() + 1, generation) < 0);
	CHECK(generation == UINT64_MAX || load(path, geteuid(), generation + 1) < 0);
	CHECK(fchmod(fd, 0602) == 0 && load(path, geteuid(), generation) < 0);
	CHECK(ftruncate(fd, (off_t)size - 1) == 0 && fchmod(fd, 0600) == 0);
	CHECK(load(path, geteuid(), generation) < 0);
	CHECK(unlink(path) == 0 && close(fd) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	uint8_t *bytes = calloc(1, size ? size : 1);
	if (!bytes)
		return 0;
	if (size)
		memcpy(bytes, data, size);
	if (size >= HEADER_SIZE + TRAILER_SIZE) {
		put64(bytes + 24, size); /* length, in the header */
		put64(bytes + size - TRAILER_SIZE, snapshot_checksum(bytes, size - TRAILER_SIZE));
	}
	if (snapshot_load_bytes(bytes, size, &s, why, sizeof(why)) == 0) {
		for (size_t at = 0; at + SNAPSHOT_FINGERPRINT <= size; at += 8)
			ask(s, bytes + at);
		load_from_file(bytes, size, snapshot_in_force(s));
		snapshot_free(s);
	}
	free(bytes);
	return 0;
}
