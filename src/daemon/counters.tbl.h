/* COUNTER(name, kind, help): what /metrics tells as thingward_NAME. FAMILY(name, kind, help): the same
 * with labels. Order: alphabetical. */
COUNTER(admission_evicted, "counter", "things forgotten by admission because its table was full")
COUNTER(alarms_differing, "counter",
	"open alarms that differed between evaluator and store after a start")
COUNTER(brokers_connected, "gauge", "plugins connected to the channel")
FAMILY(broker_table_entries, "gauge", "entries of a plugin's bounded table when it last told of it")
FAMILY(broker_table_left_out, "gauge", "what a plugin's bounded table had to leave out since the plugin began")
COUNTER(checkpoints_written, "counter", "checkpoints of the evaluator's state")
COUNTER(denials_evicted, "counter", "rows of the denial ledger given up because of denial.max_rows")
COUNTER(denials_folded, "counter",
	"refusals added to a row for the rest because of denial.source_rows or denial.hour_rows")
COUNTER(detect_alarms_open, "gauge", "alarms that are open in the evaluator")
COUNTER(detect_devices, "gauge", "devices the evaluator knows")
COUNTER(detect_unregistered_dropped, "counter",
	"unregistered devices left out because of detect.max_unregistered")
COUNTER(effects_committed, "counter", "alarm events and updates written")
COUNTER(entries_appended, "counter", "entries made durable in the log")
COUNTER(entries_evaluated, "counter", "entries that went through the evaluator")
COUNTER(frames_received, "counter", "frames from plugins")
COUNTER(frames_repeated, "counter", "frames that came again and were durable already")
COUNTER(log_head, "gauge", "sequence number of the last entry of the log")
COUNTER(log_offset, "gauge",
	"sequence number up to which entries were evaluated and their effects committed")
FAMILY(refusals, "counter", "sessions and requests refused, by cause; mode=observe: that would have been")
COUNTER(reports_accepted, "counter", "reports accepted")
COUNTER(reports_malformed, "counter", "reports rejected because they could not be read")
COUNTER(reports_repeated, "counter", "reports answered again without their data")
COUNTER(reports_throttled, "counter", "reports rejected because they came too soon or too many")
COUNTER(sessions_ended, "counter", "device sessions that ended")
COUNTER(sessions_open, "gauge", "device sessions that are open, as brokers told")
COUNTER(sessions_started, "counter", "device sessions that began")
COUNTER(sessions_taken_over, "counter", "device sessions whose client id another connection took")
COUNTER(snapshot_generation, "gauge", "generation of the brokers' snapshot")
