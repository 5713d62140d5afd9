/* covers: src/adopt/conf.c src/adopt/plan.c src/adopt/lines.c src/adopt/print.c
 *
 * A configuration of Mosquitto: read, judged and printed; in text nothing may act on a terminal. */
#include "adopt/plan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const struct conf *conf, const struct adopt_plan *plan)
{
	struct adopt_lines lines;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	adopt_lines_make(plan, "plugin x\n", "listener 0 /d\n", &lines);
	adopt_print_json(conf, plan, &lines, out);
	(void)fflush(out);
	size_t before = n;
	adopt_print_text(conf, plan, &lines, out);
	(void)fclose(out);
	for (size_t i = before; i < n; i++) {
		if ((unsigned char)text[i] < ' ' && text[i] != '\n')
			abort();
	}
	free(text);
	adopt_lines_clear(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf conf;
	struct adopt_plan plan;
	struct fault fault = {.kind = FAULT_NONE};
	conf_init(&conf);
	if (conf_add_text(&conf, "f", (struct view){(const char *)data, size}, &fault) == 0) {
		adopt_plan_make(&conf, &plan);
		print(&conf, &plan);
		adopt_plan_clear(&plan);
	}
	conf_clear(&conf);
	return 0;
}
