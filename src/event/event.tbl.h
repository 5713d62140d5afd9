/* EVENT(id, number, codec): the kinds of events and how their bodies are written and read
 * (event.c). Numbers stand in frames. */
EVENT(REPORT, 1, report)
EVENT(CUT, 2, number)
EVENT(APPLIED, 3, number)
EVENT(FLUSHED, 4, number)
EVENT(REFUSED, 5, refused)
EVENT(CONNECT, 6, connect)
EVENT(DISCONNECT, 7, disconnect)
EVENT(TAKEOVER, 8, takeover)
EVENT(COUNTERS, 9, counters)
EVENT(TABLE, 10, table)
