/* Paging tokens: base64 of a MAC and the cursor that a handler gave.
 *
 * The MAC binds a cursor to its operation and to the input members it was made with, so that a
 * token from elsewhere, for other filters or made up is refused (spec/api.md section 1,
 * Pagination). The alphabet is that of the model's Marker. */
#ifndef API_TOKEN_H
#define API_TOKEN_H

#include "api/model.h"

#define TOKEN_KEY_SIZE 32

struct token_key {
	unsigned char bytes[TOKEN_KEY_SIZE];
};

/* The token for `cursor`; freed with g_free. `in` are the operation's input members. */
char *token_seal(const struct token_key *key, const struct operation *op, const json_t *in,
		 const char *cursor);

/* Writes the cursor of a token made with the same key, operation and filters. -1 when it is none.
 */
int token_open(const struct token_key *key, const struct operation *op, const json_t *in,
	       const char *token, char cursor[PAGE_CURSOR_MAX + 1]) MUST_USE;

#endif
