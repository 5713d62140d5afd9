/* A piece of somebody else's bytes: pointer and length, not NUL-terminated, not owned. */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct view {
	const char *p;
	size_t n;
};

#define VIEW_LIT(s) ((struct view){"" s, sizeof(s) - 1})
/* The same as an initializer, for static tables. */
/* clang-format off */
#define VIEW_INIT(s) {"" s, sizeof(s) - 1}
/* clang-format on */

static inline struct view view_of(const char *s)
{
	return (struct view){s, s ? strlen(s) : 0};
}

static inline bool view_eq(struct view a, struct view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool view_is(struct view a, const char *s)
{
	return view_eq(a, view_of(s));
}

#endif
