#include "api/handlers.h"

/* clang-format off */
const struct handler_row handlers[] = {
#define HANDLER(operation) {#operation, op_##operation, NULL},
#define PREPARED_HANDLER(operation) {#operation, op_##operation, prepare_##operation},
#include "api/handlers.tbl.h"
#undef PREPARED_HANDLER
#undef HANDLER
	{NULL, NULL, NULL},
};
/* clang-format on */
