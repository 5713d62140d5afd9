/* JSON against the shapes of the model.
 *
 *   shape_read    what a client sent -> values as handlers see them: known members only, by their
 * model names, timestamps in milliseconds. Wrong JSON types are refused here. shape_check
 * constraints, on input and on output: all faults of a value, in AWS's words. shape_write   what a
 * handler answered -> what goes over the wire. */
#ifndef API_SHAPE_H
#define API_SHAPE_H

#include "api/model.h"
#include "api/refusal.h"

/* The value as handlers see it, owned by the caller; NULL with a SerializationException. `path`
 * names it in messages. Nulls are absent members; in a list they stay, for shape_check to refuse.
 */
json_t *shape_read(const struct shape *shape, const json_t *value, const char *path,
		   struct refusal *refusal);

/* A text from a label, a query string or a header as such a value. NULL when it is no number,
 * boolean or time of the shape's type. */
json_t *shape_read_text(const struct shape *shape, const char *text);

/* 0, or -1 with InvalidRequestException and one message that counts and joins all faults. The value
 * is one that shape_read made, or a handler; unknown members and wrong types are faults too. */
int shape_check(const struct shape *shape, const json_t *value, struct refusal *refusal);

/* The value as it goes over the wire, owned by the caller. Unknown members and nulls are left out.
 */
json_t *shape_write(const struct shape *shape, const json_t *value);

#endif
