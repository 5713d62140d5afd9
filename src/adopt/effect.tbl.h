/* What adopting Thingward does to an option of Mosquitto, from nothing to everything; a row each:
 * EFFECT(id, word of --json, heading). */
EFFECT(STAYS, "stays", "Stays as it is")
EFFECT(UNKNOWN, "unknown", "Not known here: stays as it is; look it up in mosquitto.conf(5)")
EFFECT(OBSERVE_ONLY, "observe-only", "In charge while observing, not asked on an enforced listener")
EFFECT(CHANGES, "changes", "Means something else once enforced")
EFFECT(REFUSES, "refuses", "Lets clients in that an enforced listener refuses")
EFFECT(NO_REPORTS, "no-reports", "Keeps device reports from passing")
EFFECT(NO_ENFORCE, "no-enforce", "Cannot be enforced as long as it is there")
EFFECT(BLOCKS, "blocks", "The plugin cannot work with it")
