#include "api/route.h"

#include "api/uri.h"

/* Splits the path. 0 when it cannot be an operation's. */
static size_t split(struct view path, struct view segments[OPERATION_SEGMENTS_MAX])
{
	size_t n = 0;
	struct view piece;
	if (path.n < 2 || path.p[0] != '/')
		return 0;
	struct view rest = {path.p + 1, path.n - 1};
	if (rest.p[rest.n - 1] == '/')
		rest.n--;
	while (uri_piece(&rest, '/', &piece)) {
		if (n == OPERATION_SEGMENTS_MAX || piece.n == 0)
			return 0;
		segments[n++] = piece;
	}
	return n;
}

/* How well the segments fit: a bit for each, first segment highest, set where a fixed one stands.
 * -1: not at all. */
static int fit(const struct operation *op, const struct view *segments, size_t n)
{
	int bits = 0;
	if (op->n_segments != n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool is_label = op->segments[i][0] == '{';
		if (!is_label && !view_is(segments[i], op->segments[i]))
			return -1;
		bits = bits * 2 + !is_label;
	}
	return bits;
}

struct route route_find(const struct model *model, const char *method, struct view path)
{
	struct route route = {0};
	size_t n_operations, n = split(path, route.segments);
	const struct operation *op = model_operations(model, &n_operations);
	int best = -1;
	for (size_t i = 0; i < n_operations && n > 0; i++, op++) {
		int bits = fit(op, route.segments, n);
		bool is_method = strcmp(op->method, method) == 0;
		route.is_path_known |= bits >= 0;
		if (is_method && bits > best) {
			best = bits;
			route.operation = op;
		}
	}
	return route;
}
