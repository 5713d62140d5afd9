STATEMENT(part_count, LOG, "", "i", "select count(*) from part")
STATEMENT(part_add, LOG, "i", "",
	  "insert into part (part, owner, epoch, lease_until, head) values (?1, '', 0, 0, 0)"
	  " on conflict (part) do nothing")
/* Writes nothing new: it holds the partition's row, so that whoever appends or leases is alone. */
STATEMENT(part_hold, LOG, "i", "i", "update part set head = head where part = ?1 returning head")
STATEMENT(part_head, LOG, "i", "i", "select head from part where part = ?1")
STATEMENT(part_head_set, LOG, "ii", "", "update part set head = ?2 where part = ?1")
STATEMENT(part_lease, LOG, "i", "tii", "select owner, epoch, lease_until from part where part = ?1")
STATEMENT(part_lease_set, LOG, "itii", "",
	  "update part set owner = ?2, epoch = ?3, lease_until = ?4 where part = ?1")

STATEMENT(producer_last, LOG, "it", "i", "select last_frame from producer where part = ?1 and producer = ?2")
STATEMENT(producer_set, LOG, "iti", "",
	  "insert into producer (part, producer, last_frame) values (?1, ?2, ?3)"
	  " on conflict (part, producer) do update set last_frame = ?3")

STATEMENT(log_add, LOG, "iiib", "", "insert into log (part, seq, at, body) values (?1, ?2, ?3, ?4)")
STATEMENT(log_next, LOG, "ii", "ib",
	  "select seq, body from log where part = ?1 and seq >= ?2 order by seq limit 1")
STATEMENT(log_floor, LOG, "ii", "i",
	  "select seq from log where part = ?1 and seq <= ?2 order by seq desc limit 1")
STATEMENT(log_cut, LOG, "iii", "",
	  "delete from log where part = ?1 and seq in"
	  " (select seq from log where part = ?1 and seq < ?2 order by seq limit ?3)")

STATEMENT(part_offset_add, MAIN, "i", "",
	  "insert into part_offset (part, epoch, off) values (?1, 0, 0) on conflict (part) do nothing")
STATEMENT(part_offset, MAIN, "i", "i", "select off from part_offset where part = ?1")
STATEMENT(part_offset_move, MAIN, "iiii", "",
	  "update part_offset set off = ?4 where part = ?1 and epoch = ?2 and off = ?3")
STATEMENT(part_epoch_raise, MAIN, "ii", "",
	  "update part_offset set epoch = ?2 where part = ?1 and epoch < ?2")
