/* END(id, word, text): how a session ended. Mosquitto 2.0 tells no reason: what is not ours is
 * ENDED there; 2.1 tells more. Frames and log entries hold the row's place: rows are added at the
 * end only. */
END(ENDED, "ended", "the client or the network ended it")
END(TAKEN_OVER, "taken-over", "another connection took its client id")
END(CUT, "cut", "it was cut because it may not go on")
END(LEFT, "left", "the client said goodbye")
END(KEEP_ALIVE, "keep-alive", "the client was silent for longer than its keep-alive")
END(NETWORK, "network", "the connection broke")
END(PROTOCOL, "protocol", "the client broke the protocol")
END(BROKER_STOPPED, "broker-stopped", "the broker stopped")
