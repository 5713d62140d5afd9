/* Statements of dimensions: see store/schema/dimension.tbl.h. */
STATEMENT(dimension_get, MAIN, "t", "ttii", "select filters, token, created, modified from dimension where name = ?1")
STATEMENT(dimension_count, MAIN, "", "i", "select count(*) from dimension")
STATEMENT(dimension_add, MAIN, "ttti", "",
	"insert into dimension (name, filters, token, created, modified) values (?1, ?2, ?3, ?4, ?4)")
STATEMENT(dimension_set, MAIN, "tti", "", "update dimension set filters = ?2, modified = ?3 where name = ?1")
STATEMENT(dimension_delete, MAIN, "t", "", "delete from dimension where name = ?1")
STATEMENT(dimension_list, MAIN, "ti", "t", "select name from dimension where name > ?1 order by name limit ?2")
STATEMENT(walk_dimensions, MAIN, "tt", "tt",
	"select name, filters from dimension where name between ?1 and ?2 order by name")
STATEMENT(walk_dimension_page, MAIN, "ti", "tti",
	"select coalesce(min(name), ''), coalesce(max(name), ''), count(*) from "
	"(select name from dimension where name > ?1 order by name limit ?2) page")
