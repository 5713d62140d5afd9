/* What a request claims about its signature. */
#include "api/sigv4.h"

#include "api/uri.h"
#include "base/compiler.h"

#include <glib.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#define ALGORITHM      "AWS4-HMAC-SHA256"
#define INCOMPLETE     "IncompleteSignatureException"
#define EXPIRES_MAX_S  604800
#define CREDENTIAL_MAX 512
#define BASIC_DATE     "%Y%m%dT%H%M%SZ"

/* The texts of a claim, wherever they were found. */
enum part { CREDENTIAL, SIGNED_HEADERS, SIGNATURE, DATE, EXPIRES, TOKEN, ALGORITHM_NAME, PARTS };

struct parts {
	char *text[PARTS];
};

static const struct part_row {
	const char *in_header, *in_query;
} part_rows[PARTS] = {
	[CREDENTIAL] = {"Credential",    "X-Amz-Credential"    },
	[SIGNED_HEADERS] = {"SignedHeaders", "X-Amz-SignedHeaders" },
	[SIGNATURE] = {"Signature",     "X-Amz-Signature"     },
	[DATE] = {NULL,            "X-Amz-Date"          },
	[EXPIRES] = {NULL,            "X-Amz-Expires"       },
	[TOKEN] = {NULL,            "X-Amz-Security-Token"},
	[ALGORITHM_NAME] = {NULL,            "X-Amz-Algorithm"     },
};

static void parts_clear(struct parts *parts)
{
	for (size_t i = 0; i < PARTS; i++)
		g_clear_pointer(&parts->text[i], g_free);
}

/* Takes the value. */
static int set_part(struct parts *parts, size_t i, char *value, struct refusal *refusal)
{
	if (!value || parts->text[i]) {
		g_free(value);
		return refuse(refusal, INCOMPLETE, "%s stands twice or cannot be read",
			      part_rows[i].in_query);
	}
	parts->text[i] = value;
	return 0;
}

static int add_header_part(struct parts *parts, struct view piece, struct refusal *refusal)
{
	g_autofree char *text = g_strstrip(g_strndup(piece.p, piece.n));
	char *value = strchr(text, '=');
	if (!value)
		return refuse(refusal, INCOMPLETE, "Authorization holds a part without '='");
	*value++ = '\0';
	for (size_t i = 0; i < PARTS; i++) {
		if (part_rows[i].in_header && strcmp(part_rows[i].in_header, text) == 0)
			return set_part(parts, i, g_strdup(value), refusal);
	}
	return 0;
}

static int parts_of_header(const char *authorization, struct parts *parts, struct refusal *refusal)
{
	size_t n = strlen(ALGORITHM);
	if (strncmp(authorization, ALGORITHM, n) != 0 || !g_ascii_isspace(authorization[n]))
		return refuse(refusal, INCOMPLETE, "Authorization must begin with " ALGORITHM);
	struct view rest = view_of(authorization + n), piece;
	while (uri_piece(&rest, ',', &piece)) {
		if (add_header_part(parts, piece, refusal) < 0)
			return -1;
	}
	return 0;
}

static int parts_of_query(struct view query, struct parts *parts, struct refusal *refusal)
{
	struct view name, value;
	while (uri_query_pair(&query, &name, &value)) {
		for (size_t i = 0; i < PARTS; i++) {
			if (view_is(name, part_rows[i].in_query) &&
			    set_part(parts, i, uri_decode(value), refusal) < 0)
				return -1;
		}
	}
	return 0;
}

static size_t count_headers(const struct api_request *request, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < request->n_headers; i++)
		n += strcasecmp(request->headers[i].name, name) == 0;
	return n;
}

static bool is_query_signed(const struct parts *parts)
{
	return parts->text[SIGNATURE] || parts->text[ALGORITHM_NAME] || parts->text[CREDENTIAL];
}

/* Finds the parts, in the header or in the query string, never in both. */
static int find_parts(const struct api_request *request, struct parts *parts, struct sigv4 *ret,
		      struct refusal *refusal)
{
	size_t n = count_headers(request, "authorization");
	if (parts_of_query(request->query, parts, refusal) < 0)
		return -1;
	ret->is_presigned = is_query_signed(parts);
	if (n == 0 && !ret->is_presigned)
		return refuse(refusal, "MissingAuthenticationTokenException",
			      "Missing Authentication Token");
	if (n + ret->is_presigned != 1)
		return refuse(
			refusal, INCOMPLETE,
			"A request is signed once: by one Authorization header or by its query");
	if (!ret->is_presigned) {
		parts_clear(parts);
		return parts_of_header(api_request_header(request, "authorization"), parts,
				       refusal);
	}
	if (g_strcmp0(parts->text[ALGORITHM_NAME], ALGORITHM) != 0)
		return refuse(refusal, INCOMPLETE, "X-Amz-Algorithm must be " ALGORITHM);
	return 0;
}

/* As access keys are written: what else is claimed here would stand in logs and trail. */
static bool is_key_id(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (!g_ascii_isalnum(*p) && *p != '_' && *p != '-')
			return false;
	}
	return text[0] != '\0';
}

static int parse_credential(char *credential, struct sigv4 *ret, struct refusal *refusal)
{
	const char **fields[] = {&ret->key_id, &ret->date, &ret->region, &ret->service};
	char *p = strlen(credential) <= CREDENTIAL_MAX ? credential : NULL;
	for (size_t i = 0; p && i < G_N_ELEMENTS(fields); i++) {
		*fields[i] = p;
		p = strchr(p, '/');
		if (p)
			*p++ = '\0';
	}
	if (!p || strcmp(p, "aws4_request") != 0 || !is_key_id(ret->key_id))
		return refuse(refusal, INCOMPLETE,
			      "Credential must be KEY/DATE/REGION/SERVICE/aws4_request");
	return 0;
}

static int check_scope(const struct sigv4_rules *rules, const struct sigv4 *claim,
		       struct refusal *refusal)
{
	if (!g_strv_contains(rules->services, claim->service))
		return refuse(refusal, "InvalidSignatureException",
			      "Credential should be scoped to correct service: '%s'.",
			      rules->services[0]);
	if (rules->region && strcmp(rules->region, claim->region) != 0)
		return refuse(refusal, "InvalidSignatureException",
			      "Credential should be scoped to a valid region: '%s'.",
			      rules->region);
	if (strncmp(claim->at, claim->date, 8) != 0 || strlen(claim->date) != 8)
		return refuse(refusal, "InvalidSignatureException",
			      "Date in Credential scope does not match YYYYMMDD from ISO-8601 "
			      "version of date from HTTP: "
			      "'%.16s' != '%.8s', from '%s'.",
			      claim->date, claim->at, claim->at);
	return 0;
}

/* Dates of a fixed length, the whole of the text. */
static const struct date_form {
	const char *format;
	size_t length;
} date_forms[] = {
	{BASIC_DATE,                  16}, /* 20150830T123600Z */
	{"%a, %d %b %Y %H:%M:%S GMT", 29}, /* Sun, 30 Aug 2015 12:36:00 GMT */
};

static bool is_date(const char *text, const struct date_form *form, struct tm *ret)
{
	if (strlen(text) != form->length)
		return false;
	const char *end = strptime(text, form->format, ret);
	return end && *end == '\0' && ret->tm_year >= 70;
}

/* Reads a date, writes it as YYYYMMDDTHHMMSSZ, and tells it in milliseconds. */
static int parse_date(const char *text, char at[17], int64_t *ret_ms)
{
	for (size_t i = 0; i < ARRAY_LEN(date_forms); i++) {
		struct tm tm = {0};
		if (!is_date(text, &date_forms[i], &tm))
			continue;
		(void)strftime(at, 17, BASIC_DATE, &tm);
		*ret_ms = (int64_t)timegm(&tm) * 1000;
		return 0;
	}
	return -1;
}

static void basic_of(int64_t ms, char out[17])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	(void)gmtime_r(&seconds, &tm);
	(void)strftime(out, 17, BASIC_DATE, &tm);
}

static int check_skew(const struct sigv4 *claim, int64_t at_ms, int64_t oldest_ms, int64_t skew_ms,
		      int64_t now_ms, struct refusal *refusal)
{
	char now[17], bound[17];
	basic_of(now_ms, now);
	if (at_ms < oldest_ms) {
		basic_of(oldest_ms, bound);
		return refuse(refusal,
			      claim->is_presigned ? "ExpiredTokenException"
						  : "InvalidSignatureException",
			      "Signature expired: %s is now earlier than %s (%s - %d min.)",
			      claim->at, bound, now, (int)((now_ms - oldest_ms) / 60000));
	}
	if (at_ms > now_ms + skew_ms) {
		basic_of(now_ms + skew_ms, bound);
		return refuse(refusal, "InvalidSignatureException",
			      "Signature not yet current: %s is still later than %s (%s + %d min.)",
			      claim->at, bound, now, (int)(skew_ms / 60000));
	}
	return 0;
}

static int check_time(const struct sigv4_rules *rules, const struct parts *parts,
		      const struct api_request *request, int64_t now_ms, struct sigv4 *ret,
		      struct refusal *refusal)
{
	int64_t at_ms, lifetime_ms = rules->skew_ms;
	const char *header = api_request_header(request, "x-amz-date");
	const char *date = ret->is_presigned ? parts->text[DATE]
			   : header          ? header
					     : api_request_header(request, "date");
	if (!date || parse_date(date, ret->at, &at_ms) < 0)
		return refuse(refusal, INCOMPLETE,
			      "X-Amz-Date (YYYYMMDDTHHMMSSZ) or Date is missing or cannot be read");
	if (ret->is_presigned) {
		guint64 expires_s;
		if (!parts->text[EXPIRES] ||
		    !g_ascii_string_to_unsigned(parts->text[EXPIRES], 10, 1, EXPIRES_MAX_S,
						&expires_s, NULL))
			return refuse(refusal, INCOMPLETE,
				      "X-Amz-Expires must be a number of seconds, 1 to %d",
				      EXPIRES_MAX_S);
		lifetime_ms = (int64_t)expires_s * 1000;
	}
	return check_skew(ret, at_ms, now_ms - lifetime_ms, rules->skew_ms, now_ms, refusal);
}

/* Headers that tell something about the client only, and are left unsigned by some. */
static const char *const informative[] = {"x-amz-user-agent", "x-amzn-trace-id", NULL};

static bool must_be_signed(const struct sigv4 *claim, const struct api_request *request,
			   const char *name)
{
	bool is_dated = claim->is_presigned || api_request_header(request, "x-amz-date");
	return strcmp(name, "host") == 0 || (strcmp(name, "date") == 0 && !is_dated) ||
	       (g_str_has_prefix(name, "x-amz") && !g_strv_contains(informative, name));
}

static int check_signed_headers(const struct sigv4 *claim, const struct api_request *request,
				struct refusal *refusal)
{
	const char *const *names = (const char *const *)claim->signed_headers;
	for (size_t i = 0; names[i]; i++) {
		if (i > 0 && strcmp(names[i - 1], names[i]) >= 0)
			return refuse(refusal, INCOMPLETE,
				      "SignedHeaders must be in alphabetical order, each once");
		if (!api_request_header(request, names[i]))
			return refuse(
				refusal, INCOMPLETE,
				"SignedHeaders names '%.64s', which the request does not have",
				names[i]);
	}
	if (!g_strv_contains(names, "host"))
		return refuse(refusal, INCOMPLETE,
			      "'Host' must be a 'SignedHeader' in the AWS Authorization.");
	for (size_t i = 0; i < request->n_headers; i++) {
		g_autofree char *name = g_ascii_strdown(request->headers[i].name, -1);
		if (must_be_signed(claim, request, name) && !g_strv_contains(names, name))
			return refuse(refusal, INCOMPLETE,
				      "'%.64s' must be a 'SignedHeader' in the AWS Authorization.",
				      name);
	}
	return 0;
}

static int take_parts(struct parts *parts, const struct api_request *request, struct sigv4 *ret,
		      struct refusal *refusal)
{
	for (size_t i = CREDENTIAL; i <= SIGNATURE; i++) {
		if (!parts->text[i])
			return refuse(refusal, INCOMPLETE, "Authorization lacks '%s'",
				      part_rows[i].in_header);
	}
	if (parse_credential(parts->text[CREDENTIAL], ret, refusal) < 0)
		return -1;
	ret->signed_headers = g_strsplit(parts->text[SIGNED_HEADERS], ";", 0);
	ret->signature = parts->text[SIGNATURE];
	ret->token = ret->is_presigned ? parts->text[TOKEN]
				       : api_request_header(request, "x-amz-security-token");
	return 0;
}

int sigv4_parse(const struct sigv4_rules *rules, const struct api_request *request, int64_t now_ms,
		struct sigv4 *ret, struct refusal *refusal)
{
	*ret = (struct sigv4){0};
	struct parts *parts = g_new0(struct parts, 1);
	ret->parts = parts;
	if (find_parts(request, parts, ret, refusal) < 0 ||
	    take_parts(parts, request, ret, refusal) < 0 ||
	    check_time(rules, parts, request, now_ms, ret, refusal) < 0 ||
	    check_scope(rules, ret, refusal) < 0)
		return -1;
	return check_signed_headers(ret, request, refusal);
}

void sigv4_clear(struct sigv4 *claim)
{
	if (claim->parts)
		parts_clear(claim->parts);
	g_clear_pointer(&claim->parts, g_free);
	g_clear_pointer(&claim->signed_headers, g_strfreev);
}
