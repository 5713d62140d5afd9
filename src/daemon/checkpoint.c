#include "daemon/checkpoint.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <glib.h>
#include <unistd.h>

#define PREFIX "checkpoint-"
#define KEPT   2

/* Oldest first. */
static int by_number(gconstpointer a, gconstpointer b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static GArray *list(const char *dir)
{
	GArray *seqs = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
	const char *name;
	while (d && (name = g_dir_read_name(d))) {
		guint64 seq;
		if (g_str_has_prefix(name, PREFIX) &&
		    g_ascii_string_to_unsigned(name + strlen(PREFIX), 10, 1, UINT64_MAX, &seq,
					       NULL))
			(void)g_array_append_val(seqs, seq);
	}
	g_array_sort(seqs, by_number);
	return seqs;
}

static char *path_of(const char *dir, uint64_t seq)
{
	return g_strdup_printf("%s/" PREFIX "%020" G_GUINT64_FORMAT, dir, seq);
}

/* What a crash left of the one that was being written. */
static void remove_remains(const char *dir)
{
	g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
	const char *name;
	while (d && (name = g_dir_read_name(d))) {
		g_autofree char *path = g_build_filename(dir, name, NULL);
		if (g_str_has_prefix(name, PREFIX) && g_str_has_suffix(name, FILE_NEXT))
			(void)unlink(path);
	}
}

static int load_one(const char *dir, uint64_t seq, const struct detect_limits *limits,
		    struct detect **ret)
{
	g_autofree char *path = path_of(dir, seq), *bytes = NULL;
	g_autoptr(GError) error = NULL;
	gsize n;
	if (!g_file_get_contents(path, &bytes, &n, &error)) {
		log_warning("evaluate", "%s: %s", path, error->message);
		return -EIO;
	}
	uint64_t have;
	int r = detect_load(limits, (const uint8_t *)bytes, n, ret, &have);
	if (r == 0 && have != seq) {
		detect_free(*ret);
		r = -EBADMSG;
	}
	if (r < 0)
		log_warning("evaluate", "%s: not usable: %s; an older one or the log serves", path,
			    r == -ENOTSUP ? "another engine version wrote it" : g_strerror(-r));
	return r;
}

int checkpoint_load(const char *dir, const struct detect_limits *limits, uint64_t offset,
		    struct detect **ret, uint64_t *ret_seq)
{
	g_autoptr(GArray) seqs = list(dir);
	remove_remains(dir);
	for (guint i = seqs->len; i-- > 0;) {
		uint64_t seq = g_array_index(seqs, uint64_t, i);
		if (seq > offset)
			log_warning("evaluate",
				    "checkpoint %" G_GUINT64_FORMAT
				    " is ahead of the store: passed over",
				    seq);
		else if (load_one(dir, seq, limits, ret) == 0) {
			*ret_seq = seq;
			return 0;
		}
	}
	*ret_seq = 0;
	return detect_new(limits, ret);
}

int checkpoint_write(const char *dir, uint64_t seq, const void *bytes, size_t n,
		     uint64_t *ret_oldest)
{
	g_autofree char *written = path_of(dir, seq);
	int r = file_replace(written, bytes, n, 0600, (gid_t)-1);
	if (r < 0)
		return r;
	g_autoptr(GArray) seqs = list(dir);
	for (guint i = 0; i + KEPT < seqs->len; i++) {
		g_autofree char *path = path_of(dir, g_array_index(seqs, uint64_t, i));
		(void)unlink(path);
	}
	*ret_oldest = seqs->len < KEPT ? 0 : g_array_index(seqs, uint64_t, seqs->len - KEPT);
	return 0;
}
