/* KIND(id, word, goal, text): what can be taken away. `word` stands in the store and in answers;
 * `goal` is what must be so for the containment to be verified (enum contain_goal); `text`
 * completes "CERTIFICATE, GROUP ... ". Order: of the words. */
KIND(CERT_DEACTIVATED, "certificate-deactivated", NO_SESSION, "may not connect any more")
KIND(CERT_DELETED, "certificate-deleted", NO_SESSION, "may not connect any more")
KIND(GROUP_DELETED, "group-deleted", NO_GRANT, "was deleted, and with it what its policies granted")
KIND(GROUP_QUARANTINED, "group-made-quarantine", QUARANTINE,
     "became a quarantine for the things in it")
KIND(POLICY_ATTACHED, "policy-attached", DENY, "is denied what the policy denies")
KIND(POLICY_CHANGED, "policy-changed", NO_GRANT,
     "has another default version, which may grant less")
KIND(POLICY_DETACHED, "policy-detached", NO_GRANT, "lost what the policy granted")
KIND(GROUP_ENTERED, "thing-added-to-group", DENY, "is denied what the group's policies deny")
KIND(THING_DETACHED, "thing-detached", NO_GRANT, "is not the certificate's thing any more")
KIND(QUARANTINED, "thing-quarantined", QUARANTINE, "was put into a quarantine")
KIND(GROUP_LEFT, "thing-removed-from-group", NO_GRANT, "lost what the group's policies granted")
