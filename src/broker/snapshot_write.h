/* Writing snapshots (broker/snapshot.h): records, and the file that holds them.
 *
 * A file is made beside the one in use, under its name with ".next": first the base, in as many
 * steps as its maker likes, then whatever parts came meanwhile, copied. Then it is fsynced and
 * takes the other's place by rename, the directory fsynced: that is the one moment at which readers
 * go from one to the other. From there on each round of changes is appended and fdatasynced. A part
 * that could not be written whole is cut off again, so that the next one begins where it must.
 *
 * Not for several threads at once. */
#ifndef BROKER_SNAPSHOT_WRITE_H
#define BROKER_SNAPSHOT_WRITE_H

#include "base/compiler.h"
#include "broker/snapshot.h"

#include <glib.h>

/* ---- Records ---- */

struct snapshot_builder;

struct snapshot_builder *snapshot_builder_new(void);
void snapshot_builder_free(struct snapshot_builder *b); /* takes NULL */
/* Bytes of the records added. */
uint64_t snapshot_builder_size(const struct snapshot_builder *b);
/* The records in pieces that hold each whole, from 0; the one after the last is empty. */
struct view snapshot_builder_sheet(const struct snapshot_builder *b, size_t i);
void snapshot_builder_empty(struct snapshot_builder *b);

/* Each adds one record; strings and views are copied. Names have at most 65535 bytes. */
void snapshot_add_account(struct snapshot_builder *b, const char *partition, const char *region,
			  const char *account);
void snapshot_add_policy(struct snapshot_builder *b, const char *name, uint32_t version,
			 struct view program);
void snapshot_add_group(struct snapshot_builder *b, const char *name, bool is_quarantine,
			const char *const *policies, size_t n);
/* groups: those it was put into and all their ancestors. facts: policy/facts.h. */
void snapshot_add_thing(struct snapshot_builder *b, const char *name, struct view facts,
			const char *const *groups, size_t n);

struct snapshot_new_cert {
	uint8_t fingerprint[SNAPSHOT_FINGERPRINT];
	enum snapshot_cert_status status;
	int64_t not_before, not_after; /* seconds since the epoch */
	bool is_exclusive;             /* attached with EXCLUSIVE_THING (then n_things is 1) */
	struct view facts;
	const char *const *things, *const *policies;
	size_t n_things, n_policies;
};
void snapshot_add_cert(struct snapshot_builder *b, const struct snapshot_new_cert *cert);
void snapshot_add_dimension(struct snapshot_builder *b, const char *name,
			    const char *const *filters, size_t n);
/* What the key named is gone. */
void snapshot_remove(struct snapshot_builder *b, enum snapshot_kind kind, struct view key);

/* The status of AWS's name ("ACTIVE"); an unknown one is INACTIVE: it may not speak. */
enum snapshot_cert_status snapshot_cert_status_of(const char *name);

/* ---- The file ---- */

struct snapshot_file;

/* Begins a file that will take the place of path. mode: 0640 as root with group mosquitto (gid),
 * else 0600; gid (gid_t)-1 leaves the group. 0, or a negative errno. */
int snapshot_file_new(const char *path, mode_t mode, gid_t gid,
		      struct snapshot_file **ret) MUST_USE;
/* Closes it; removes it when it never took its place. Takes NULL. */
void snapshot_file_free(struct snapshot_file *f);

/* The base: records in any number of steps, then its end. 0, or a negative errno. */
int snapshot_file_add(struct snapshot_file *f, const struct snapshot_builder *records) MUST_USE;
int snapshot_file_end_base(struct snapshot_file *f, uint64_t generation) MUST_USE;
/* Copies the parts of another file from an offset (an earlier snapshot_file_size of it) to its end.
 */
int snapshot_file_carry(struct snapshot_file *f, const struct snapshot_file *from,
			uint64_t offset) MUST_USE;
/* Makes it durable and puts it in its place. */
int snapshot_file_take_place(struct snapshot_file *f) MUST_USE;

/* A whole file with nothing but a base, in its place. */
int snapshot_write(const char *path, const struct snapshot_builder *records, uint64_t generation,
		   mode_t mode, gid_t gid) MUST_USE;

/* Appends records as parts; the last one's generation says that all up to it is there. Nothing is
 * left behind when it fails: a negative errno. */
int snapshot_file_append(struct snapshot_file *f, const struct snapshot_builder *records,
			 uint64_t generation) MUST_USE;
/* Makes what was appended durable. 0, or a negative errno: then nobody knows what the disk has, and
 * the file is not to be used further. */
int snapshot_file_sync(struct snapshot_file *f) MUST_USE;
/* False when another file is in its place, or it was cut or written by somebody else. */
bool snapshot_file_is_intact(const struct snapshot_file *f);

uint64_t snapshot_file_size(const struct snapshot_file *f);
uint64_t snapshot_file_base_size(const struct snapshot_file *f);
/* Of its last part, 0: none. */
uint64_t snapshot_file_generation(const struct snapshot_file *f);

/* The generation of the file at path, 0 when there is none, it is damaged or not the caller's own:
 * what the daemon continues from. */
uint64_t snapshot_generation(const char *path);

#endif
