/* Words to the service manager (sd_notify(3)), when NOTIFY_SOCKET says that there is one. */
#ifndef DAEMON_NOTIFY_READY_H
#define DAEMON_NOTIFY_READY_H

/* "READY=1", "RELOADING=1", "STOPPING=1". */
void notify_manager(const char *word);

#endif
