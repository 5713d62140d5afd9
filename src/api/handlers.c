#include "api/handlers.h"

const struct handler_row handlers[] = {
#define HANDLER(operation) {#operation, op_##operation},
#include "api/handlers.tbl.h"
#undef HANDLER
	{NULL, NULL},
};
