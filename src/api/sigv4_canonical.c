#include "api/sigv4_canonical.h"

#include "api/uri.h"

#include <glib.h>
#include <strings.h>

static void encode_byte(GString *out, unsigned char c)
{
	if (g_ascii_isalnum((char)c) || (c != '\0' && strchr("-_.~", c)))
		g_string_append_c(out, (char)c);
	else
		g_string_append_printf(out, "%%%02X", c);
}

/* Segments as they came, encoded once more; dot segments and doubled slashes are gone. */
static void add_path(GString *out, struct view path)
{
	g_autoptr(GPtrArray) kept = g_ptr_array_new();
	struct view rest = path, segment;
	g_autofree struct view *segments = g_new(struct view, path.n + 1);
	for (size_t n = 0; uri_piece(&rest, '/', &segment);) {
		if (view_is(segment, "..") && kept->len > 0)
			g_ptr_array_set_size(kept, (gint)kept->len - 1);
		if (segment.n == 0 || view_is(segment, ".") || view_is(segment, ".."))
			continue;
		segments[n] = segment;
		g_ptr_array_add(kept, &segments[n++]);
	}
	for (guint i = 0; i < kept->len; i++) {
		const struct view *one = g_ptr_array_index(kept, i);
		g_string_append_c(out, '/');
		for (size_t k = 0; k < one->n; k++)
			encode_byte(out, (unsigned char)one->p[k]);
	}
	if (kept->len == 0 || path.p[path.n - 1] == '/')
		g_string_append_c(out, '/');
}

/* Decoded and encoded again, so that every spelling of a text becomes the same. */
static void add_reencoded(GString *out, struct view raw)
{
	for (size_t i = 0; i < raw.n; i++) {
		bool is_escape = raw.p[i] == '%' && i + 2 < raw.n &&
				 g_ascii_isxdigit(raw.p[i + 1]) && g_ascii_isxdigit(raw.p[i + 2]);
		int byte = (unsigned char)raw.p[i];
		if (is_escape) {
			byte = g_ascii_xdigit_value(raw.p[i + 1]) * 16 +
			       g_ascii_xdigit_value(raw.p[i + 2]);
			i += 2;
		}
		encode_byte(out, (unsigned char)byte);
	}
}

struct pair {
	char *name, *value;
};

static void pair_clear(void *p)
{
	struct pair *pair = p;
	g_free(pair->name);
	g_free(pair->value);
}

static int by_name_then_value(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order != 0 ? order : strcmp(x->value, y->value);
}

static char *reencoded(struct view raw)
{
	GString *out = g_string_new(NULL);
	add_reencoded(out, raw);
	return g_string_free(out, FALSE);
}

static void add_query(GString *out, struct view query, bool is_presigned)
{
	g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(struct pair));
	g_array_set_clear_func(pairs, pair_clear);
	struct view rest = query, name, value;
	while (uri_query_pair(&rest, &name, &value)) {
		if (is_presigned && view_is(name, "X-Amz-Signature"))
			continue;
		struct pair pair = {reencoded(name), reencoded(value)};
		g_array_append_val(pairs, pair);
	}
	g_array_sort(pairs, by_name_then_value);
	for (guint i = 0; i < pairs->len; i++) {
		const struct pair *pair = &g_array_index(pairs, struct pair, i);
		g_string_append_printf(out, "%s%s=%s", i > 0 ? "&" : "", pair->name, pair->value);
	}
}

/* Ends trimmed, inner runs of blanks become one. */
static void add_trimmed(GString *out, const char *value)
{
	bool is_pending = false;
	gsize start = out->len;
	for (const char *p = value; *p != '\0'; p++) {
		if (g_ascii_isspace(*p)) {
			is_pending = true;
			continue;
		}
		if (is_pending && out->len > start)
			g_string_append_c(out, ' ');
		is_pending = false;
		g_string_append_c(out, *p);
	}
}

static void add_header(GString *out, const struct api_request *request, const char *name)
{
	const char *separator = "";
	g_string_append_printf(out, "%s:", name);
	for (size_t i = 0; i < request->n_headers; i++) {
		if (strcasecmp(request->headers[i].name, name) != 0)
			continue;
		g_string_append(out, separator);
		add_trimmed(out, request->headers[i].value);
		separator = ",";
	}
	g_string_append_c(out, '\n');
}

char *sigv4_canonical(const struct sigv4 *claim, const struct api_request *request,
		      const char *body_hash)
{
	GString *out = g_string_new(request->method);
	g_autofree char *names = g_strjoinv(";", claim->signed_headers);
	g_string_append_c(out, '\n');
	add_path(out, request->path);
	g_string_append_c(out, '\n');
	add_query(out, request->query, claim->is_presigned);
	g_string_append_c(out, '\n');
	for (char **name = claim->signed_headers; *name; name++)
		add_header(out, request, *name);
	g_string_append_printf(out, "\n%s\n%s", names, body_hash);
	return g_string_free(out, FALSE);
}
