STATEMENT(change_add, MAIN, "it", "i",
	  "insert into change (g, kind, key) select coalesce(max(g), 0) + 1, ?1, ?2 from change returning g")
STATEMENT(change_newest, MAIN, "", "i", "select coalesce(max(g), 0) from change")
STATEMENT(change_next, MAIN, "i", "iit", "select g, kind, key from change where g > ?1 order by g limit 1")
STATEMENT(change_forget, MAIN, "i", "", "delete from change where g <= ?1 and g < (select max(g) from change)")
