STATEMENT(access_key_add, MAIN, "ttbi", "",
	  "insert into access_key (id, role, secret, created) values (?1, ?2, ?3, ?4) on conflict (id) do nothing")
STATEMENT(access_key_get, MAIN, "t", "tb", "select role, secret from access_key where id = ?1")
STATEMENT(access_key_each, MAIN, "", "tti", "select id, role, created from access_key order by created, id")
STATEMENT(access_key_others, MAIN, "tt", "i", "select count(*) from access_key where role = ?1 and id <> ?2")
STATEMENT(access_key_delete, MAIN, "t", "", "delete from access_key where id = ?1")
STATEMENT(trail_add, MAIN, "titttttt", "",
	  "insert into trail (id, at, key_id, address, operation, target, result, detail)"
	  " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
STATEMENT(trail_since, MAIN, "i", "titttttt",
	  "select id, at, key_id, address, operation, target, result, detail from trail where at >= ?1 order by at, id")
STATEMENT(trail_forget, MAIN, "i", "", "delete from trail where at < ?1")
