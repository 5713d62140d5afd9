/* The worked examples of spec/registry-and-policies.md section 12, by their numbers, and more of section 10:
 *   EXAMPLE(number, device, action, resource type, resource name, decision, document)
 *   EXAMPLE_ID(number, client id, ...)      device B with another client id
 *   EXAMPLE_FROM(number, source address, ...)  device A from a known address */
EXAMPLE("1", A, CONNECT, "client", "sensor1", ALLOWED,
	DOC(STATEMENT("Allow", "Connect", ARN "client/" TN)))
EXAMPLE("2", B, CONNECT, "client", "x9", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Connect", ARN "client/" TN)))
EXAMPLE("3", B, CONNECT, "client", "x9", IMPLICIT_DENY,
	DOC(IF("Allow", "Connect", "*", IS_ATTACHED)))
EXAMPLE("3 by A", A, CONNECT, "client", "sensor1", ALLOWED,
	DOC(IF("Allow", "Connect", "*", IS_ATTACHED)))
EXAMPLE("4", A, SUBSCRIBE, "topicfilter", "building/control_room/data1", ALLOWED,
	DOC(BUILDING("#")))
EXAMPLE("5", A, SUBSCRIBE, "topicfilter", "building/control_room/#", EXPLICIT_DENY,
	DOC(BUILDING("#")))
EXAMPLE("6", A, SUBSCRIBE, "topicfilter", "building/#", ALLOWED,
	DOC(CONTROL))
EXAMPLE("6 receive", A, RECEIVE, "topic", "building/control_room/data1", ALLOWED,
	DOC(CONTROL))
EXAMPLE("7", A, RECEIVE, "topic", "building/control_room/data1", EXPLICIT_DENY,
	DOC(CONTROL "," STATEMENT("Deny", "Receive", ARN "topic/building/control_room/*")))
EXAMPLE("8", A, SUBSCRIBE, "topicfilter", "some/+/topic", ALLOWED,
	DOC(STATEMENT("Allow", "Subscribe", ARN "topicfilter/some/+/topic")))
EXAMPLE("8 other", A, SUBSCRIBE, "topicfilter", "some/abc/topic", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Subscribe", ARN "topicfilter/some/+/topic")))
EXAMPLE("9", A, SUBSCRIBE, "topicfilter", "some/a/b/topic", ALLOWED,
	DOC(STATEMENT("Allow", "Subscribe", ARN "topicfilter/some/*/topic")))
EXAMPLE("10", A, SUBSCRIBE, "topicfilter", "some/sensor123/topic", ALLOWED,
	DOC(STATEMENT("Allow", "Subscribe", ARN "topicfilter/some/sensor?""?""?/topic")))
EXAMPLE("10 short", A, SUBSCRIBE, "topicfilter", "some/sensor12/topic", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Subscribe", ARN "topicfilter/some/sensor?""?""?/topic")))
EXAMPLE("11 foo", A, PUBLISH, "topic", "sensor1/foo/x", ALLOWED,
	DOC(NO_BAR))
EXAMPLE("11 bar", A, PUBLISH, "topic", "sensor1/bar", EXPLICIT_DENY,
	DOC(NO_BAR))
EXAMPLE("11 other", A, PUBLISH, "topic", "sensor2/foo", IMPLICIT_DENY,
	DOC(NO_BAR))
EXAMPLE_ID("12", "+", SUBSCRIBE, "topicfilter", "my/+/topic", ALLOWED,
	DOC(STATEMENT("Allow", "Subscribe", ARN "topicfilter/my/" ID "/topic")))
EXAMPLE_ID("13", "*", PUBLISH, "topic", "my/abc/t", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/my/" ID "/t")))
EXAMPLE_ID("13 literal", "*", PUBLISH, "topic", "my/*/t", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/my/" ID "/t")))
EXAMPLE("14", A, RECEIVE, "topic", "a/ok", ALLOWED,
	DOC(NOT_RESTRICTED))
EXAMPLE("14 restricted", A, RECEIVE, "topic", "a/restricted/x", IMPLICIT_DENY,
	DOC(NOT_RESTRICTED))
EXAMPLE("15 plain", PLAIN, CONNECT, "client", "sensor1", ALLOWED,
	DOC(ONLY_WILL))
EXAMPLE("15 will", WILL, CONNECT, "client", "sensor1", ALLOWED,
	DOC(ONLY_WILL))
EXAMPLE("15 clean session off", PERSISTENT, CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(ONLY_WILL))
EXAMPLE("16 persistent", PERSISTENT, CONNECT, "client", "sensor1", EXPLICIT_DENY,
	DOC(NOT_PERSISTENT))
EXAMPLE("16 plain", PLAIN, CONNECT, "client", "sensor1", ALLOWED,
	DOC(NOT_PERSISTENT))
EXAMPLE("17 one", COMPANY, PUBLISH, "topic", "my/topic/sensor1", ALLOWED,
	DOC(COMPANIES))
EXAMPLE("17 another too", EVIL, PUBLISH, "topic", "my/topic/sensor1", IMPLICIT_DENY,
	DOC(COMPANIES))
EXAMPLE("18", BERLIN, PUBLISH, "topic", "berlin/t", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/" SITE "/*")))
EXAMPLE("18 without site", A, PUBLISH, "topic", "berlin/t", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/" SITE "/*")))
EXAMPLE_FROM("19", "10.1.2.3", CONNECT, "client", "sensor1", ALLOWED,
	DOC(LAN("Allow", "IpAddress", "\"10.0.0.0/8\"")))
EXAMPLE("19 unknown", A, CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(LAN("Allow", "IpAddress", "\"10.0.0.0/8\"")))
EXAMPLE_FROM("19 outside", "11.1.2.3", CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(LAN("Allow", "IpAddress", "[\"10.0.0.0/8\",\"192.0.2.1\"]")))
EXAMPLE_FROM("19 second", "192.0.2.1", CONNECT, "client", "sensor1", ALLOWED,
	DOC(LAN("Allow", "IpAddress", "[\"10.0.0.0/8\",\"192.0.2.1\"]")))
EXAMPLE_FROM("19 mapped", "::ffff:10.1.2.3", CONNECT, "client", "sensor1", ALLOWED,
	DOC(LAN("Allow", "IpAddress", "\"10.0.0.0/8\"")))
EXAMPLE_FROM("19 bits", "10.128.0.1", CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(LAN("Allow", "IpAddress", "\"10.0.0.0/9\"")))
EXAMPLE_FROM("19 v6", "2001:db8:7fff::1", CONNECT, "client", "sensor1", ALLOWED,
	DOC(LAN("Allow", "IpAddress", "\"2001:db8::/33\"")))
EXAMPLE_FROM("19 v6 outside", "2001:db8:8000::1", CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(LAN("Allow", "IpAddress", "\"2001:db8::/33\"")))
EXAMPLE_FROM("19 families apart", "192.0.2.1", CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(LAN("Allow", "IpAddress", "\"::/0\"")))
EXAMPLE_FROM("19 no address", "a text that is far too long to be an address of any family", CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(LAN("Allow", "IpAddress", "\"::/0\"")))
EXAMPLE_FROM("not inside", "10.1.2.3", CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(LAN("Allow", "NotIpAddress", "\"10.0.0.0/8\"")))
EXAMPLE_FROM("not outside", "9.1.2.3", CONNECT, "client", "sensor1", ALLOWED,
	DOC(LAN("Allow", "NotIpAddress", "\"10.0.0.0/8\"")))
EXAMPLE("not unknown", A, CONNECT, "client", "sensor1", ALLOWED,
	DOC(LAN("Allow", "NotIpAddress", "\"10.0.0.0/8\"")))
EXAMPLE("if exists", A, CONNECT, "client", "sensor1", ALLOWED,
	DOC(LAN("Allow", "IpAddressIfExists", "\"10.0.0.0/8\"")))
EXAMPLE("21", A, PUBLISH, "topic", "cfg", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/cfg")))
EXAMPLE("21 retain", A, RETAIN_PUBLISH, "topic", "cfg", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/cfg")))
EXAMPLE("22", A, UPDATE_SHADOW, "thing", "MyThing7", ALLOWED,
	DOC(STATEMENT("Allow", "UpdateThingShadow", ARN "thing/MyThing*")))
EXAMPLE("23", A, CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(""))
EXAMPLE("one statement, no list", A, CONNECT, "client", "sensor1", ALLOWED,
	"{\"Statement\":" STATEMENT("Allow", "Connect", "*") "}")
EXAMPLE("case of actions", A, PUBLISH, "topic", "a", ALLOWED,
	DOC(STATEMENT("Allow", "PUB*", ARN "topic/a")))
EXAMPLE("case of resources", A, PUBLISH, "topic", "A", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/a")))
EXAMPLE("not action", A, PUBLISH, "topic", "a", ALLOWED,
	DOC(NOT_CONNECT))
EXAMPLE("not action, named", A, CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(NOT_CONNECT))
EXAMPLE("not action, wild", A, GET_SHADOW, "thing", "sensor1", IMPLICIT_DENY,
	DOC(NOT_CONNECT))
EXAMPLE("other account", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", "arn:aws:iot:us-east-1:999999999999:topic/*")))
EXAMPLE("wild heads", A, PUBLISH, "topic", "a", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", "arn:aws:iot:*:*:topic/a")))
EXAMPLE("a run ends at its part", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", "arn:aws:*:x:y:topic/a")))
EXAMPLE("colons in the name", A, PUBLISH, "topic", "a:b:c", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/a:b:*")))
EXAMPLE("fewer than six parts", A, PUBLISH, "topic", "a", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", "arn:aws:iot:*")))
EXAMPLE("no resource", A, LIST_NAMED_SHADOWS, "", "", ALLOWED,
	DOC(STATEMENT("Allow", "ListNamedShadowsForThing", "*")))
EXAMPLE("no resource, narrow", A, LIST_NAMED_SHADOWS, "", "", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "ListNamedShadowsForThing", ARN "thing/*")))
EXAMPLE("literal star", A, PUBLISH, "topic", "*?$x", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/${*}${?}${$}x")))
EXAMPLE("literal star, other", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/${*}")))
EXAMPLE("a plain dollar", A, PUBLISH, "topic", "$aws/things/sensor1/shadow/update", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/$aws/things/" TN "/*")))
EXAMPLE("? is one character", A, PUBLISH, "topic", "\xc3\xa9" "b", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/?b")))
EXAMPLE("unresolved beside a match", B, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC("{\"Effect\":\"Deny\",\"Action\":\"iot:Publish\",\"Resource\":[\"*\",\"" ARN "topic/" TN "\"]}"))
EXAMPLE("string equals", A, CONNECT, "client", "sensor1", ALLOWED,
	DOC(IF("Allow", "Connect", "*", "\"StringEquals\":{\"iot:ClientId\":[\"no\",\"" TN "\"]}")))
EXAMPLE("string equals is no glob", A, CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(IF("Allow", "Connect", "*", "\"StringEquals\":{\"iot:ClientId\":\"s*\"}")))
EXAMPLE("string like", A, CONNECT, "client", "sensor1", ALLOWED,
	DOC(IF("Allow", "Connect", "*", "\"StringLike\":{\"iot:ClientId\":\"s*\"}")))
EXAMPLE("string not like", A, CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(IF("Allow", "Connect", "*", "\"StringNotLike\":{\"iot:ClientId\":[\"x*\",\"s*\"]}")))
EXAMPLE("string not equals", B, CONNECT, "client", "x9", EXPLICIT_DENY,
	DOC(IF("Deny", "Connect", "*", "\"StringNotEquals\":{\"iot:Connection.Thing.ThingName\":\"" ID "\"}")))
EXAMPLE("two operators", A, CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(IF("Allow", "Connect", "*", IS_ATTACHED ",\"StringLike\":{\"iot:ClientId\":\"t*\"}")))
EXAMPLE("bool false", B, CONNECT, "client", "x9", ALLOWED,
	DOC(IF("Allow", "Connect", "*", "\"Bool\":{\"iot:Connection.Thing.IsAttached\":false}")))
EXAMPLE("another service's action", A, CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC("{\"Effect\":\"Allow\",\"Action\":[\"greengrass:*\",\"iotjobsdata:Get*\"],\"Resource\":\"*\"}"))
EXAMPLE("another service's action beside one of ours", A, CONNECT, "client", "sensor1", ALLOWED,
	DOC("{\"Effect\":\"Allow\",\"Action\":[\"greengrass:*\",\"iot:Connect\"],\"Resource\":\"*\"}"))
EXAMPLE("not another service's action", A, CONNECT, "client", "sensor1", EXPLICIT_DENY,
	DOC("{\"Effect\":\"Deny\",\"NotAction\":\"greengrass:*\",\"Resource\":\"*\"}"))
EXAMPLE("any service's publish", A, PUBLISH, "topic", "a", ALLOWED,
	DOC("{\"Effect\":\"Allow\",\"Action\":\"*:Publish\",\"Resource\":\"*\"}"))
EXAMPLE("unknown variable", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/${iot:Thing.ThingName}")))
EXAMPLE("case of a variable", A, PUBLISH, "topic", "sensor1", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/${IOT:clientID}")))
EXAMPLE("case of an attribute", BERLIN, PUBLISH, "topic", "berlin", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/${iot:Connection.Thing.Attributes[Site]}")))
EXAMPLE("unresolved in a condition beside a match", A, CONNECT, "client", "sensor1", IMPLICIT_DENY,
	DOC(IF("Allow", "Connect", "*", "\"StringLike\":{\"iot:ClientId\":[\"*\",\"" SITE "\"]}")))
EXAMPLE("not resource, unresolved", A, RECEIVE, "topic", "a", IMPLICIT_DENY,
	DOC("{\"Effect\":\"Deny\",\"Action\":\"iot:Receive\",\"NotResource\":\"" ARN "topic/" SITE "\"}"))
EXAMPLE("not resource, two", A, RECEIVE, "topic", "b", EXPLICIT_DENY,
	DOC("{\"Effect\":\"Deny\",\"Action\":\"iot:Receive\",\"NotResource\":[\"" ARN "topic/a\",\"" ARN "topic/c\"]}"))
EXAMPLE("not resource, the second", A, RECEIVE, "topic", "c", IMPLICIT_DENY,
	DOC("{\"Effect\":\"Deny\",\"Action\":\"iot:Receive\",\"NotResource\":[\"" ARN "topic/a\",\"" ARN "topic/c\"]}"))
EXAMPLE("type of another resource", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topicfilter/a")))
EXAMPLE("wildcard in the type", A, PUBLISH, "topic", "a", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "t*c/a")))
EXAMPLE("run over type and name", A, PUBLISH, "topic", "x/a", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "*/a")))
EXAMPLE("name without type", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topic")))
EXAMPLE("partition", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", "arn:aws-cn:iot:us-east-1:123456789012:topic/a")))
EXAMPLE("service", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", "arn:aws:sns:us-east-1:123456789012:topic/a")))
EXAMPLE("no arn", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", "a:aws:iot:us-east-1:123456789012:topic/a")))
EXAMPLE("variable in a head", A, PUBLISH, "topic", "a", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", "arn:aws:iot:us-east-1:" ID ":topic/a")))
EXAMPLE("many runs", A, PUBLISH, "topic", "a/bb/ab/b/c/d", ALLOWED,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/a/*b/*/c*")))
EXAMPLE("run, then one", A, PUBLISH, "topic", "a/", IMPLICIT_DENY,
	DOC(STATEMENT("Allow", "Publish", ARN "topic/a/*?")))
