/* Objects of all sizes: zero, apart from each other, and used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mosquitto/slab.h"

#define MANY 3000

static size_t size_of(size_t i)
{
	return i * 37 % (SLAB_OBJECT_MAX + 1);
}

static bool is_filled(const uint8_t *p, size_t n, uint8_t with)
{
	while (n--)
		if (*p++ != with)
			return false;
	return true;
}

/* Takes MANY, fills each, and looks whether all have kept what was put in. */
static void fill(struct slab *s, uint8_t *objects[MANY])
{
	for (size_t i = 0; i < MANY; i++) {
		objects[i] = slab_take(s, size_of(i));
		assert_non_null(objects[i]);
		assert_int_equal((uintptr_t)objects[i] % sizeof(max_align_t), 0);
		assert_true(is_filled(objects[i], size_of(i), 0));
		memset(objects[i], (uint8_t)i, size_of(i));
	}
	for (size_t i = 0; i < MANY; i++)
		assert_true(is_filled(objects[i], size_of(i), (uint8_t)i));
}

static void test_taken_and_given_back(void **state)
{
	(void)state;
	static uint8_t *objects[MANY];
	struct slab *s = slab_new();
	assert_non_null(s);
	for (unsigned turn = 0; turn < 3; turn++) {
		fill(s, objects);
		for (size_t i = 0; i < MANY; i++)
			slab_give(s, objects[i], size_of(i));
	}
	slab_free(s);
}

static void test_given_back_is_taken_first(void **state)
{
	(void)state;
	struct slab *s = slab_new();
	void *first = slab_take(s, 100);
	slab_give(s, first, 100);
	assert_ptr_equal(slab_take(s, 101), first);
	assert_ptr_not_equal(slab_take(s, 101), first);
	slab_give(s, NULL, 5);
	slab_free(s);
	slab_free(NULL);
}

static void test_too_large(void **state)
{
	(void)state;
	struct slab *s = slab_new();
	assert_non_null(slab_take(s, SLAB_OBJECT_MAX));
	assert_null(slab_take(s, SLAB_OBJECT_MAX + 1));
	slab_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_and_given_back),
		cmocka_unit_test(test_given_back_is_taken_first),
		cmocka_unit_test(test_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
