/* Every SQL statement, by the module that owns its tables. See store/sql.h for the form of a row. */
#include "store/sql/schema.tbl.h"
#include "store/sql/plog.tbl.h"
#include "store/sql/change.tbl.h"
#include "store/sql/access.tbl.h"
#include "store/sql/registry.tbl.h"
#include "store/sql/profile.tbl.h"
#include "store/sql/violation.tbl.h"
#include "store/sql/audit.tbl.h"
