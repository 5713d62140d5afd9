#include "api/handlers.h"

/* clang-format off */
const struct handler_row handlers[] = {
#define HANDLER(operation) {#operation, op_##operation},
#include "api/handlers.tbl.h"
#undef HANDLER
	{NULL, NULL},
};
/* clang-format on */
