STATEMENT(schema_step_get, ANY, "t", "i", "select step from schema_step where file = ?1")
STATEMENT(schema_step_set, ANY, "ti", "",
	  "insert into schema_step (file, step) values (?1, ?2) on conflict (file) do update set step = ?2")
