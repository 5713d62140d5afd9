/* END(id): how a session ended. Mosquitto 2.0 tells no reason: what is not ours is ENDED there; 2.1
 * tells more. Frames and log entries hold the row's place: rows are added at the end only. */
END(ENDED)          /* the client or the network ended it */
END(TAKEN_OVER)     /* another connection took its client id */
END(CUT)            /* it was cut because it may not go on */
END(LEFT)           /* the client said goodbye */
END(KEEP_ALIVE)     /* the client was silent for longer than its keep-alive */
END(NETWORK)        /* the connection broke */
END(PROTOCOL)       /* the client broke the protocol */
END(BROKER_STOPPED) /* the broker stopped */
