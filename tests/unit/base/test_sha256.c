/* Vectors: FIPS 180-4 examples (NIST, "Examples with intermediate values"). */
#include "base/sha256.h"

#include "base/chance.h"
#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct vector {
	const char *text;
	unsigned repeat;
	const char *digest;
};

static const struct vector vectors[] = {
	{"",							 1,       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc",						      1,       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"                                                                     },
	{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
	 "lmnopqrsmnopqrstnopqrstu",			1,       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	{"a",							1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct sha256 s;
		uint8_t digest[SHA256_SIZE];
		char hex[2 * SHA256_SIZE + 1];
		sha256_init(&s);
		for (unsigned k = 0; k < vectors[i].repeat; k++)
			sha256_add(&s, vectors[i].text, strlen(vectors[i].text));
		sha256_end(&s, digest);
		hex_encode(digest, sizeof(digest), hex);
		assert_string_equal(hex, vectors[i].digest);
	}
}

static void test_pieces_make_no_difference(void **state)
{
	(void)state;
	char text[300];
	memset(text, 'x', sizeof(text));
	for (size_t n = 0; n <= sizeof(text); n++) {
		uint8_t whole[SHA256_SIZE], pieces[SHA256_SIZE];
		struct sha256 s;
		sha256_init(&s);
		sha256_add(&s, text, n);
		sha256_end(&s, whole);
		sha256_init(&s);
		sha256_add(&s, text, n / 3);
		sha256_add(&s, text + n / 3, n - n / 3);
		sha256_end(&s, pieces);
		assert_memory_equal(whole, pieces, sizeof(whole));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_pieces_make_no_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
