#include "broker/snapshot_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/file.h"
#include "broker/snapshot_format.h"

struct snapshot_file {
	char *path;
	int fd;
	bool is_in_place;
	bool is_broken;    /* what stands at its end is not known */
	uint64_t size;     /* of what was written whole */
	uint64_t base_end; /* 0: the base is being written */
	uint64_t generation;
	struct snapshot_sum sum; /* of the base's records so far */
};

static int write_header(struct snapshot_file *f)
{
	uint8_t bytes[HEADER_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));
	write_u64(&w, SNAPSHOT_MAGIC);
	write_u64(&w, SNAPSHOT_VERSION);
	return file_write_at(f->fd, bytes, sizeof(bytes), 0);
}

int snapshot_file_new(const char *path, mode_t mode, gid_t gid, struct snapshot_file **ret)
{
	int fd = file_next_open(path, mode, gid);
	if (fd < 0)
		return fd;
	struct snapshot_file *f = g_new0(struct snapshot_file, 1);
	f->path = g_strdup(path);
	f->fd = fd;
	f->size = HEADER_SIZE + PART_HEADER; /* the base's header is written at its end */
	snapshot_sum_begin(&f->sum);
	int r = write_header(f);
	if (r < 0) {
		snapshot_file_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

void snapshot_file_free(struct snapshot_file *f)
{
	if (!f)
		return;
	if (!f->is_in_place)
		file_next_unlink(f->path);
	(void)close(f->fd);
	g_free(f->path);
	g_free(f);
}

static void fill_part_header(uint8_t *to, uint64_t length, uint64_t generation,
			     struct snapshot_sum *sum)
{
	struct writer w = writer_of(to, PART_HEADER);
	write_u64(&w, length);
	write_u64(&w, generation);
	write_u64(&w, snapshot_sum_end(sum, generation));
}

/* ---- The base ---- */

static int add_sheet(struct snapshot_file *f, struct view records)
{
	const uint8_t *p = (const uint8_t *)records.p;
	int r = file_write_at(f->fd, p, records.n, f->size);
	if (r < 0)
		return r;
	snapshot_sum_add(&f->sum, p, records.n);
	f->size += records.n;
	return 0;
}

int snapshot_file_add(struct snapshot_file *f, const struct snapshot_builder *records)
{
	int r = 0;
	struct view sheet;
	CHECK(f->base_end == 0);
	for (size_t i = 0; r == 0 && (sheet = snapshot_builder_sheet(records, i)).n; i++)
		r = add_sheet(f, sheet);
	return r;
}

int snapshot_file_end_base(struct snapshot_file *f, uint64_t generation)
{
	uint8_t header[PART_HEADER];
	uint64_t length = f->size - HEADER_SIZE - PART_HEADER;
	fill_part_header(header, length, generation, &f->sum);
	int r = file_write_at(f->fd, header, sizeof(header), HEADER_SIZE);
	if (r < 0)
		return r;
	f->base_end = f->size;
	f->generation = generation;
	return 0;
}

/* ---- Parts ---- */

/* In one write: readers see less of what is half there. */
static int append_part(struct snapshot_file *f, struct view records, uint64_t generation)
{
	g_autofree uint8_t *part = g_malloc(PART_HEADER + records.n);
	struct snapshot_sum sum;
	if (records.n)
		memcpy(part + PART_HEADER, records.p, records.n);
	snapshot_sum_begin(&sum);
	snapshot_sum_add(&sum, part + PART_HEADER, records.n);
	fill_part_header(part, records.n, generation, &sum);
	int r = file_write_at(f->fd, part, PART_HEADER + records.n, f->size);
	if (r < 0)
		return r;
	f->size += PART_HEADER + records.n;
	f->generation = generation;
	return 0;
}

/* The last part alone says that the round is complete. */
static int append_parts(struct snapshot_file *f, const struct snapshot_builder *records,
			uint64_t generation)
{
	int r = 0;
	struct view sheet = snapshot_builder_sheet(records, 0);
	for (size_t i = 0; r == 0; i++) {
		struct view next = snapshot_builder_sheet(records, i + 1);
		r = append_part(f, sheet, next.n ? f->generation : generation);
		if (next.n == 0)
			break;
		sheet = next;
	}
	return r;
}

/* A part of which the rest is missing would swallow the next one. */
static void cut_back(struct snapshot_file *f, uint64_t size, uint64_t generation)
{
	f->size = size;
	f->generation = generation;
	if (ftruncate(f->fd, (off_t)size) < 0)
		f->is_broken = true;
}

int snapshot_file_append(struct snapshot_file *f, const struct snapshot_builder *records,
			 uint64_t generation)
{
	uint64_t size = f->size, before = f->generation;
	CHECK(f->base_end && generation >= before);
	if (f->is_broken)
		return -EIO;
	int r = append_parts(f, records, generation);
	if (r < 0)
		cut_back(f, size, before);
	return r;
}

int snapshot_file_sync(struct snapshot_file *f)
{
	if (fdatasync(f->fd) == 0)
		return 0;
	int r = -errno;
	f->is_broken = true;
	return r;
}

#define COPY_BYTES (256U << 10)

static int copy_some(struct snapshot_file *f, const struct snapshot_file *from, uint64_t at,
		     void *buf, size_t n)
{
	ssize_t got = pread(from->fd, buf, n, (off_t)at);
	if (got < 0 && errno == EINTR)
		return 0;
	if (got <= 0)
		return got < 0 ? -errno : -EIO;
	int r = file_write_at(f->fd, buf, (size_t)got, f->size);
	if (r == 0)
		f->size += (uint64_t)got;
	return r;
}

int snapshot_file_carry(struct snapshot_file *f, const struct snapshot_file *from, uint64_t offset)
{
	g_autofree uint8_t *buf = g_malloc(COPY_BYTES);
	uint64_t start = f->size;
	int r = 0;
	CHECK(f->base_end && offset <= from->size);
	while (r == 0 && f->size - start < from->size - offset) {
		uint64_t at = offset + (f->size - start);
		r = copy_some(f, from, at, buf, MIN(COPY_BYTES, from->size - at));
	}
	if (r == 0 && from->size > offset)
		f->generation = from->generation;
	return r;
}

int snapshot_file_take_place(struct snapshot_file *f)
{
	int r = fsync(f->fd) < 0 ? -errno : 0;
	if (r == 0)
		r = file_next_rename(f->path, &f->is_in_place);
	return r;
}

int snapshot_write(const char *path, const struct snapshot_builder *records, uint64_t generation,
		   mode_t mode, gid_t gid)
{
	struct snapshot_file *f;
	int r = snapshot_file_new(path, mode, gid, &f);
	if (r < 0)
		return r;
	r = snapshot_file_add(f, records);
	if (r == 0)
		r = snapshot_file_end_base(f, generation);
	if (r == 0)
		r = snapshot_file_take_place(f);
	snapshot_file_free(f);
	return r;
}

/* ---- Looking at it ---- */

bool snapshot_file_is_intact(const struct snapshot_file *f)
{
	struct stat own, there;
	return !f->is_broken && fstat(f->fd, &own) == 0 && lstat(f->path, &there) == 0 &&
	       own.st_dev == there.st_dev && own.st_ino == there.st_ino &&
	       (uint64_t)own.st_size == f->size && own.st_uid == geteuid();
}

uint64_t snapshot_file_size(const struct snapshot_file *f)
{
	return f->size;
}

uint64_t snapshot_file_base_size(const struct snapshot_file *f)
{
	return f->base_end;
}

uint64_t snapshot_file_generation(const struct snapshot_file *f)
{
	return f->generation;
}

uint64_t snapshot_generation(const char *path)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	if (snapshot_load(path, geteuid(), 0, &s, why, sizeof(why)) < 0)
		return 0;
	uint64_t generation = snapshot_in_force(s);
	snapshot_free(s);
	return generation;
}
