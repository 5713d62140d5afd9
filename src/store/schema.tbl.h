/* SCHEMA(step, file, text): the statements that make the tables. Steps run once each, in order; the rows of a step may stand
 * in several files. A released step is never changed. Column types are written for both databases:
 *   INT (integer / bigint)  REAL (real / double precision)  TEXT (text / text collate "C")  BLOB (blob / bytea)
 * and `STRICT` after the closing parenthesis (strict / nothing). `file` is MAIN or LOG, as for statements. */
#include "store/schema/plog.tbl.h"
#include "store/schema/change.tbl.h"
#include "store/schema/access.tbl.h"
#include "store/schema/registry.tbl.h"
#include "store/schema/profile.tbl.h"
#include "store/schema/dimension.tbl.h"
#include "store/schema/violation.tbl.h"
#include "store/schema/ledger.tbl.h"
#include "store/schema/audit.tbl.h"
#include "store/schema/contain.tbl.h"
