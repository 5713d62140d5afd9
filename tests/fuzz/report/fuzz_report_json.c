/* covers: src/report/decoder.c src/report/fields.c src/report/custom.c src/report/address.c
 * src/report/sort.c src/report/reply.c src/base/json_reader.c
 *
 * JSON reports: what is accepted keeps the promises of report.h and is JSON to jansson, too. */
#include "check_report.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report;
	json_error_t error = {0};
	if (!check_payload(REPORT_JSON, data, size, &report))
		return 0;
	json_t *theirs = json_loadb((const char *)data, size,
				    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	enum json_error_code code = json_error_code(&error);
	expect(theirs || code == json_error_numeric_overflow || code == json_error_null_byte_in_key,
	       "accepted is JSON");
	json_decref(theirs);
	return 0;
}
