/* AWS Signature Version 4, the server's half (spec/api.md section 2). Pure: time and secrets come
 * in.
 *
 *   sigv4_parse    what a request claims: key, scope, date, signed headers. Needs no body, so that
 * nothing is read from a client that signed nothing. sigv4_verify   whether the claim holds:
 * signature, body hash, session token.
 *
 * Both the Authorization header and presigned query strings are understood. Each segment of the
 * path as it came over the wire is encoded once more for the canonical request. */
#ifndef API_SIGV4_H
#define API_SIGV4_H

#include "api/refusal.h"
#include "api/request.h"

#include <stdbool.h>
#include <stdint.h>

struct sigv4_rules {
	const char *const *services;  /* accepted in the scope; ends with NULL */
	const char *region;           /* the only one accepted; NULL: any */
	int64_t skew_ms;              /* how far the client's clock may be off, either way */
	bool allows_unsigned_payload; /* "UNSIGNED-PAYLOAD" as body hash */
};

struct parts;

/* A claim. The strings point into `parts`, copies of what the request said, or into the request. */
struct sigv4 {
	struct parts *parts;
	const char *key_id, *date, *region, *service;
	char **signed_headers; /* NULL-terminated */
	const char *signature;
	const char *token; /* session token; NULL without */
	char at[17];       /* YYYYMMDDTHHMMSSZ */
	bool is_presigned;
};

/* 0, or -1 with the refusal of the table in section 2. The caller clears *ret in either case. */
int sigv4_parse(const struct sigv4_rules *rules, const struct api_request *request, int64_t now_ms,
		struct sigv4 *ret, struct refusal *refusal) MUST_USE;
void sigv4_clear(struct sigv4 *claim);

/* What the server knows of the key; token is NULL for long-term keys. */
struct sigv4_secret {
	const char *secret, *token;
};

/* 0, or -1 with the refusal. `secret` is NULL for an unknown key. */
int sigv4_verify(const struct sigv4_rules *rules, const struct sigv4 *claim,
		 const struct api_request *request, const struct sigv4_secret *secret,
		 struct refusal *refusal) MUST_USE;

#endif
