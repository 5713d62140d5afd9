/* Signature Version 4 against AWS's own vectors, and every refusal of spec/api.md section 2. */
#include "api/sigv4.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

#define NOW_MS INT64_C(1440938160000) /* 2015-08-30T12:36:00Z */
#define TOKEN  "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"

static const char *const services[] = {"service", "iot", NULL};
static const struct sigv4_rules rules = {.services = services, .skew_ms = 300000};
static const struct sigv4_secret long_term = {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL};
static const struct sigv4_secret temporary = {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", TOKEN};

/* A request as text, taken apart. */
struct parsed {
	char *text;
	struct api_header headers[16];
	struct api_request request;
};

static char *cut(char **rest, const char *separator)
{
	char *piece = *rest, *end = strstr(piece, separator);
	*rest = end ? end + strlen(separator) : piece + strlen(piece);
	if (end)
		*end = '\0';
	return piece;
}

static void parse(struct parsed *p, const char *text)
{
	*p = (struct parsed){.text = g_strdup(text)};
	char *rest = p->text, *line = cut(&rest, "\n");
	char *version = strstr(line, " HTTP/");
	if (version)
		*version = '\0';
	p->request.method = cut(&line, " ");
	p->request.path = view_of(cut(&line, "?"));
	p->request.query = view_of(line);
	for (line = cut(&rest, "\n"); *line != '\0'; line = cut(&rest, "\n")) {
		char *name = cut(&line, ":");
		p->headers[p->request.n_headers++] = (struct api_header){name, line};
	}
	p->request.headers = p->headers;
	p->request.body = view_of(rest);
}

/* NULL, or the exception. */
static const char *judge_at(const struct sigv4_rules *r, const char *text,
			    const struct sigv4_secret *secret, int64_t now_ms,
			    struct refusal *refusal)
{
	struct parsed p;
	struct sigv4 claim;
	parse(&p, text);
	int error = sigv4_parse(r, &p.request, now_ms, &claim, refusal);
	if (error == 0)
		error = sigv4_verify(r, &claim, &p.request, secret, refusal);
	sigv4_clear(&claim);
	g_free(p.text);
	return error == 0 ? NULL : refusal->exception;
}

static const struct vector {
	const char *name, *request;
} vectors[] = {
/* clang-format off */
#define VECTOR(name, request) {name, request},
#include "sigv4_vectors.tbl.h"
#undef VECTOR
	/* clang-format on */
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct refusal refusal = {0};
		bool has_token = strstr(vectors[i].request, TOKEN) != NULL;
		const char *exception =
			judge_at(&rules, vectors[i].request, has_token ? &temporary : &long_term,
				 NOW_MS, &refusal);
		if (exception)
			fail_msg("%s: %s: %s", vectors[i].name, exception, refusal.message);
		refusal_clear(&refusal);
	}
}

/* Each vector with one byte of its signature changed. */
static void test_signature_differs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct refusal refusal = {0};
		g_autofree char *text = g_strdup(vectors[i].request);
		char *digit = strstr(text, "Signature=") + strlen("Signature=");
		*digit = *digit == '0' ? '1' : '0';
		bool has_token = strstr(text, TOKEN) != NULL;
		const char *exception = judge_at(&rules, text, has_token ? &temporary : &long_term,
						 NOW_MS, &refusal);
		assert_string_equal(exception, "InvalidSignatureException");
		refusal_clear(&refusal);
	}
}

#define SIGNED                                                                                     \
	"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "        \
	"SignedHeaders=host;x-amz-date, "                                                          \
	"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
#define HEAD           "GET / HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n"
#define AUTH(s)        "Authorization:" s "\n"
#define SCOPE          "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
#define PARTS(c, h, s) "AWS4-HMAC-SHA256 Credential=" c ", SignedHeaders=" h ", Signature=" s
#define QUERY(e)                                                                                   \
	"GET "                                                                                     \
	"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%"  \
	"2Fservice"                                                                                \
	"%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Signature="    \
	"00" e " HTTP/1.1\nHost:example.amazonaws.com\n"

static const struct bad_row {
	const char *name, *request, *exception, *words;
} bad_rows[] = {
  /* clang-format off */
	{"nothing",
	 HEAD "\n",
	 "MissingAuthenticationTokenException", "Missing Authentication Token"},
	{"other scheme",
	 HEAD AUTH("Bearer x") "\n",
	 "IncompleteSignatureException", "AWS4-HMAC-SHA256"},
	{"no signature",
	 HEAD AUTH("AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=host") "\n",
	 "IncompleteSignatureException", "Signature"},
	{"no credential",
	 HEAD AUTH("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0") "\n",
	 "IncompleteSignatureException", "Credential"},
	{"part twice",
	 HEAD AUTH(PARTS(SCOPE, "host", "0") ", Signature=1") "\n",
	 "IncompleteSignatureException", "twice"},
	{"part without =",
	 HEAD AUTH("AWS4-HMAC-SHA256 Credential") "\n",
	 "IncompleteSignatureException", "'='"},
	{"two headers",
	 HEAD AUTH(SIGNED) AUTH(SIGNED) "\n",
	 "IncompleteSignatureException", "once"},
	{"both forms",
	 "GET /?X-Amz-Signature=0 " "HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n" AUTH(SIGNED) "\n",
	 "IncompleteSignatureException", "once"},
	{"short credential",
	 HEAD AUTH(PARTS("AKIDEXAMPLE/20150830/service/aws4_request", "host;x-amz-date", "0")) "\n",
	 "IncompleteSignatureException", "KEY/DATE/REGION"},
	{"no key id",
	 HEAD AUTH(PARTS("A\x1b[2JB/20150830/us-east-1/service/aws4_request", "host;x-amz-date", "0")) "\n",
	 "IncompleteSignatureException", "KEY/DATE/REGION"},
	{"host unsigned",
	 HEAD AUTH(PARTS(SCOPE, "x-amz-date", "0")) "\n",
	 "IncompleteSignatureException", "Host"},
	{"date unsigned",
	 HEAD AUTH(PARTS(SCOPE, "host", "0")) "\n",
	 "IncompleteSignatureException", "x-amz-date"},
	{"principal unsigned",
	 HEAD "x-amzn-principal:arn\n" AUTH(SIGNED) "\n",
	 "IncompleteSignatureException", "x-amzn-principal"},
	{"absent header signed",
	 HEAD AUTH(PARTS(SCOPE, "host;x-amz-date;x-none", "0")) "\n",
	 "IncompleteSignatureException", "x-none"},
	{"unordered",
	 HEAD AUTH(PARTS(SCOPE, "x-amz-date;host", "0")) "\n",
	 "IncompleteSignatureException", "order"},
	{"no date",
	 "GET / HTTP/1.1\nHost:example.amazonaws.com\n" AUTH(PARTS(SCOPE, "host", "0")) "\n",
	 "IncompleteSignatureException", "Date"},
	{"date broken",
	 "GET / HTTP/1.1\nHost:a\nX-Amz-Date:20151330T123600Z\n" AUTH(SIGNED) "\n",
	 "IncompleteSignatureException", "Date"},
	{"scope's date",
	 HEAD AUTH(PARTS("A/20150831/us-east-1/service/aws4_request", "host;x-amz-date", "0")) "\n",
	 "InvalidSignatureException", "scope"},
	{"service",
	 HEAD AUTH(PARTS("A/20150830/us-east-1/s3/aws4_request", "host;x-amz-date", "0")) "\n",
	 "InvalidSignatureException", "service"},
	{"token of a long-term key",
	 HEAD "X-Amz-Security-Token:x\n" AUTH(PARTS(SCOPE, "host;x-amz-date;x-amz-security-token", "0")) "\n",
	 "UnrecognizedClientException", "security token"},
	{"body differs",
	 HEAD "X-Amz-Content-Sha256:00\n" AUTH(PARTS(SCOPE, "host;x-amz-content-sha256;x-amz-date", "0")) "\n",
	 "InvalidSignatureException", "x-amz-content-sha256"},
	{"unsigned payload",
	 HEAD "X-Amz-Content-Sha256:UNSIGNED-PAYLOAD\n" AUTH(PARTS(SCOPE, "host;x-amz-content-sha256;x-amz-date", "0")) "\n",
	 "InvalidSignatureException", "x-amz-content-sha256"},
	{"presigned without expiry",
	 QUERY("") "\n",
	 "IncompleteSignatureException", "X-Amz-Expires"},
	{"presigned too long",
	 QUERY("&X-Amz-Expires=604801") "\n",
	 "IncompleteSignatureException", "X-Amz-Expires"},
	{"presigned twice",
	 QUERY("&X-Amz-Expires=1&X-Amz-Expires=2") "\n",
	 "IncompleteSignatureException", "twice"},
	{"presigned, wrong",
	 QUERY("&X-Amz-Expires=1") "\n",
	 "InvalidSignatureException", "does not match"},
  /* clang-format on */
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
		const struct bad_row *row = &bad_rows[i];
		struct refusal refusal = {0};
		const char *exception =
			judge_at(&rules, row->request, &long_term, NOW_MS, &refusal);
		if (g_strcmp0(exception, row->exception) != 0 ||
		    !strstr(refusal.message, row->words))
			fail_msg("%s: %s: %s", row->name, exception,
				 exception ? refusal.message : "");
		refusal_clear(&refusal);
	}
}

static void test_unknown_key(void **state)
{
	struct refusal refusal = {0};
	(void)state;
	assert_string_equal(judge_at(&rules, HEAD AUTH(SIGNED) "\n", NULL, NOW_MS, &refusal),
			    "UnrecognizedClientException");
	assert_string_equal(judge_at(&rules, HEAD AUTH(SIGNED) "\n", &temporary, NOW_MS, &refusal),
			    "UnrecognizedClientException");
	refusal_clear(&refusal);
}

static void test_clock(void **state)
{
	struct refusal refusal = {0};
	const char *request = HEAD AUTH(SIGNED) "\n", *presigned = QUERY("&X-Amz-Expires=60") "\n";
	(void)state;
	assert_null(judge_at(&rules, request, &long_term, NOW_MS + 300000, &refusal));
	assert_null(judge_at(&rules, request, &long_term, NOW_MS - 300000, &refusal));
	assert_string_equal(judge_at(&rules, request, &long_term, NOW_MS + 301000, &refusal),
			    "InvalidSignatureException");
	assert_string_equal(
		refusal.message,
		"Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
		"(20150830T124101Z - 5 min.)");
	assert_string_equal(judge_at(&rules, request, &long_term, NOW_MS - 301000, &refusal),
			    "InvalidSignatureException");
	assert_string_equal(refusal.message,
			    "Signature not yet current: 20150830T123600Z is still later than "
			    "20150830T123559Z (20150830T123059Z + 5 min.)");
	assert_string_equal(judge_at(&rules, presigned, &long_term, NOW_MS + 61000, &refusal),
			    "ExpiredTokenException");
	refusal_clear(&refusal);
}

static void test_date_header(void **state)
{
	struct refusal refusal = {0};
	const char *request = "GET / HTTP/1.1\nHost:example.amazonaws.com\nDate:Sun, 30 Aug 2015 "
			      "12:36:00 GMT\n" AUTH(PARTS(SCOPE, "date;host", "0")) "\n";
	(void)state;
	assert_string_equal(judge_at(&rules, request, &long_term, NOW_MS, &refusal),
			    "InvalidSignatureException");
	assert_non_null(strstr(refusal.message, "does not match"));
	refusal_clear(&refusal);
}

static void test_rules(void **state)
{
	const struct sigv4_rules one_region = {
		.services = services, .region = "eu-west-1", .skew_ms = 300000};
	struct refusal refusal = {0};
	(void)state;
	assert_string_equal(
		judge_at(&one_region, HEAD AUTH(SIGNED) "\n", &long_term, NOW_MS, &refusal),
		"InvalidSignatureException");
	assert_non_null(strstr(refusal.message, "eu-west-1"));
	refusal_clear(&refusal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),  cmocka_unit_test(test_signature_differs),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_unknown_key),
		cmocka_unit_test(test_clock),    cmocka_unit_test(test_date_header),
		cmocka_unit_test(test_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
