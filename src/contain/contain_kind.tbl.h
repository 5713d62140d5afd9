/* KIND(id, word, goal, thing): what can be taken away. `word` stands in the store and in answers; `goal` is what must be so for the
 * containment to be verified (enum contain_goal); `thing`: which of target and detail names the thing it is about. Order: of the
 * words. */
KIND(CERT_DEACTIVATED, "certificate-deactivated", NO_SESSION, NONE)
KIND(CERT_DELETED, "certificate-deleted", NO_SESSION, NONE)
KIND(GROUP_DELETED, "group-deleted", NO_GRANT, NONE)
KIND(GROUP_QUARANTINED, "group-made-quarantine", QUARANTINE, NONE)
KIND(POLICY_ATTACHED, "policy-attached", DENY, NONE)
KIND(POLICY_CHANGED, "policy-changed", NO_GRANT, NONE)
KIND(POLICY_DETACHED, "policy-detached", NO_GRANT, NONE)
KIND(GROUP_ENTERED, "thing-added-to-group", DENY, TARGET)
KIND(THING_DETACHED, "thing-detached", NO_GRANT, DETAIL)
KIND(QUARANTINED, "thing-quarantined", QUARANTINE, TARGET)
KIND(GROUP_LEFT, "thing-removed-from-group", NO_GRANT, TARGET)
