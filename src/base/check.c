#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "<2>thingward: %s:%d: this cannot happen: %s\n", file, line, what);
	abort();
}
