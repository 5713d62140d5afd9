/* What each file of tests/data/reports carries, counted by a reader of its own (Python's json, ipaddress).
 * Order: struct agent_case. */
{"embedded-c-202412-long.json", REPORT_JSON, 1795352999, true, 6, 6, 0, 0, 20, 1, 5, 6, 20},
{"embedded-c-202412-short.json", REPORT_JSON, 1795352999, true, 6, 6, 0, 0, 20, 1, 5, 6, 20},
{"python-head-long-custom.json", REPORT_JSON, 1795352887, true, 2, 2, 0, 0, 8, 2, 1, 2, 8},
{"python-head-long.cbor", REPORT_CBOR, 1795352900, true, 6, 6, 0, 0, 50, 2, 0, 6, 206},
{"python-head-short-first-custom.cbor", REPORT_CBOR, 1795353074, false, 6, 6, 0, 0, 50, 2, 1, 6, 204},
{"python-head-short-first-custom.json", REPORT_JSON, 1795353074, false, 6, 6, 0, 0, 50, 2, 1, 6, 204},
{"python-v1.1.1-long.cbor", REPORT_CBOR, 1795352804, true, 2, 2, 0, 0, 4, 1, 0, 2, 4},
{"python-v1.1.1-long.json", REPORT_JSON, 1795352795, true, 2, 2, 0, 0, 4, 1, 0, 2, 4},
{"python-v1.1.1-short-first.cbor", REPORT_CBOR, 1795353073, true, 6, 6, 0, 0, 50, 2, 0, 6, 204},
{"python-v1.1.1-short-first.json", REPORT_JSON, 1795353073, true, 6, 6, 0, 0, 50, 2, 0, 6, 204},
