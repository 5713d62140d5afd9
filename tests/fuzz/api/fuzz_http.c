/* covers: src/api/route.c src/api/uri.c src/api/gather.c src/api/shape_read.c src/api/shape_check.c
 * src/api/timestamp.c
 *
 * Requests from anybody through routing, members and constraints. What passes must be written as an
 * answer would be, and read again to the same. */
#include "requests.h"

#include "api/interpret.h"
#include "api/route.h"
#include "api/shape.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct model *the_model(void)
{
	static struct model *model;
	struct fault fault;
	if (!model)
		model = model_load(&fault);
	CHECK(model);
	return model;
}

static void check_round_trip(const struct shape *shape, const json_t *in)
{
	struct refusal refusal = {0};
	json_t *wire = shape_write(shape, in), *again = shape_read(shape, wire, "input", &refusal);
	CHECK(again && json_equal(again, in));
	CHECK(shape_check(shape, again, &refusal) == 0);
	json_decref(wire);
	json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_request r;
	struct refusal refusal = {0};
	json_t *in;
	fuzz_request_parse(&r, data, n);
	struct route route = route_find(the_model(), r.request.method, r.request.path);
	if (route.operation && api_gather(&route, &r.request, &in, &refusal) == 0) {
		check_round_trip(&route.operation->input, in);
		json_decref(in);
	}
	refusal_clear(&refusal);
	g_free(r.text);
	return 0;
}
