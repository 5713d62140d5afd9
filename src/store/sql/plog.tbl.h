STATEMENT(part_add, LOG, "i", "",
	  "insert into part (part, owner, address, epoch, lease_until, head) values (?1, '', '', 0, 0, 0)"
	  " on conflict (part) do nothing")
STATEMENT(part_offset_add, MAIN, "i", "",
	  "insert into part_offset (part, epoch, off) values (?1, 0, 0) on conflict (part) do nothing")
STATEMENT(part_count, LOG, "", "i", "select count(*) from part")
