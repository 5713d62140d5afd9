/* SIGN(id, clone, twin, link, text): what a take-over can show, and how it speaks for (or against)
 * each verdict.
 *
 * The points: a clone needs two prompt returns of ends whose addresses lie apart, or returns and
 * one more sign each when they lie close together; one device that moves between two networks comes
 * back slowly or only once. A twin is told by its certificates alone, as soon as they take turns.
 */
SIGN(RETURN_FAR, 2, 0, 0,
     "the end that was cut off came back within seconds from a distant address")
SIGN(RETURN_NEAR, 1, 0, 0,
     "the end that was cut off came back within seconds from another address close by")
SIGN(RETURN_SETTINGS, 2, 0, 0,
     "the end that was cut off came back within seconds with its other settings")
SIGN(HEARD, 1, 0, 0,
     "the old session was heard less than a second and a half before another address took over")
SIGN(SETTINGS, 1, 0, -1, "the two ends differ in keep-alive, clean session, TLS or MQTT version")
SIGN(TURNS, 0, 2, 0, "ends with different certificates take turns")
SIGN(DEAD, -1, 0, 2, "the old session had been silent for longer than its keep-alive")
SIGN(SAME_PLACE, 0, 0, 1,
     "the same certificate came again from the same address with the same settings")
SIGN(ONWARD, -1, -1, 2, "the session moved on to an address not seen in the case before")
SIGN(SLOW_RETURN, 0, 0, 1,
     "the earlier address came back, but minutes later, as a device does that changes networks")
SIGN(ENDED, 0, 0, 1, "the session ended by itself in between")
SIGN(BESIDE, 0, 0, 0, "sessions of one certificate were open at two addresses")
SIGN(BOTH_FAR, 4, 0, -1, "both lived at the same time, at distant addresses")
SIGN(BOTH_NEAR, 2, 0, 0, "both lived at the same time, at addresses close by")
